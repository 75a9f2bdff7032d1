/** `cipo train`: from configuration to a trained policy, drawn as it goes. */
import { join } from 'node:path';
import type { Summary, TrainConfig, TrainEvent } from '@cipo/trainer';
import { Command } from 'commander';
import type { SettingFlags } from '../config/flags.ts';
import { resolveConfig } from '../config/resolve.ts';
import { EXIT, UserError } from '../errors.ts';
import { linkLatest, newRunFolder, resumableFolder, stepsSaved } from '../run/folder.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { oneLine } from '../terminal/guest.ts';
import { closingLines, here } from '../terminal/lines.ts';
import { Screen } from '../terminal/screen.ts';
import { withDomains, withSettings } from './options.ts';

interface TrainFlags extends SettingFlags {
  readonly out?: string;
  readonly resume?: string;
}

const EXAMPLES = `
Examples:
  $ cipo train                                     the cipo preset from the shipped warm start
  $ cipo train --preset grpo --steps 50            plain GRPO, shorter
  $ cipo train my-run.yaml --seed 2                settings from a file, another seed
  $ cipo train --set rollout.prompts=16 --set corrections.diagnosticsRate=1
  $ cipo train --resume runs/latest                go on after Ctrl-C

Settings are laid over each other: defaults < preset < file < flags. Every key is in docs/reference/configuration.md.
A file is YAML:
  preset: cipo
  steps: 200
  optimizer:
    learningRate: 5e-5

A run writes runs/<name>/: config.json, metrics.jsonl, samples.jsonl, checkpoints/, summary.json and
report.html; runs/latest points at it. Ctrl-C stops after the current step, saves, and says how to go on.`;

export function trainCommand(): Command {
  const command = new Command('train')
    .summary('train a policy and measure it before and after')
    .description(
      'Trains a policy on tasks whose answers are really checked, and on corrections of its own attempts.\nMeasures it on held-out tasks before and after.',
    )
    .argument('[config]', 'YAML file with settings')
    .option('--preset <name>', 'cipo, cipo-attributed, grpo, dapo or dr-grpo (default cipo)')
    .option('--steps <n>', 'optimizer steps')
    .option('--model <dir>', 'policy to start from (default: the shipped warm start)')
    .option('--out <dir>', 'folder of the run (default runs/<preset>-s<seed>-<date>)')
    .option('--resume <dir>', 'go on with a stopped run, from its newest checkpoint');
  return withSettings(withDomains(command))
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, flags: TrainFlags) => {
      const plan = await planRun(file, flags);
      process.exitCode = await run(plan);
    });
}

interface Plan {
  readonly config: TrainConfig;
  readonly directory: string;
  readonly resume: boolean;
}

async function planRun(file: string | undefined, flags: TrainFlags): Promise<Plan> {
  if (flags.resume === undefined) {
    const config = await resolveConfig({ ...(file !== undefined && { file }), flags });
    const directory = newRunFolder(flags.out, config.preset, config.seed);
    return { config, directory, resume: false };
  }
  const clash = [
    file !== undefined && 'a configuration file',
    flags.out !== undefined && '--out',
    flags.preset !== undefined && '--preset',
    flags.model !== undefined && '--model',
    flags.seed !== undefined && '--seed',
  ].find((given) => given !== false);
  if (clash !== undefined) {
    throw new UserError(
      `--resume goes on with the run's own configuration and cannot be combined with ${clash}. --steps and --set can change it.`,
      EXIT.usage,
    );
  }
  const directory = resumableFolder(flags.resume);
  const own = join(directory, 'config.json');
  return {
    config: await resolveConfig({ file: own, flags, complete: true }),
    directory,
    resume: true,
  };
}

/** @returns the exit code. */
async function run({ config, directory, resume }: Plan): Promise<number> {
  const { train } = await import('@cipo/trainer');
  const screen = new Screen(process.stdout);
  const { style } = screen;
  using interrupt = listenForInterrupt(() => {
    const what = screen.progress.evaluating ? 'evaluation' : 'step';
    screen.print([
      style.yellow(`Stopping after this ${what} and saving. Ctrl-C again ends at once.`),
    ]);
  });
  try {
    const options = {
      directory,
      resume,
      signal: interrupt.signal,
      onEvent: (event: TrainEvent) => screen.show(event),
    };
    const summary = await train(config, options);
    return await finish(summary, directory, screen);
  } catch (error) {
    screen.close();
    tellWhatIsSaved(directory);
    throw error;
  } finally {
    screen.close();
  }
}

async function finish(summary: Summary, directory: string, screen: Screen): Promise<number> {
  const { writeReport } = await import('../report/write.ts');
  screen.close();
  const report = await writeReport(directory);
  await linkLatest(directory);
  process.stdout.write(`${closingLines(summary, directory, report, screen.style).join('\n')}\n`);
  if (!summary.interrupted) return EXIT.ok;
  process.stdout.write(
    `\nStopped at step ${summary.steps}. To go on:\n  ${resumeCommand(directory)}\n`,
  );
  return EXIT.interrupted;
}

function tellWhatIsSaved(directory: string): void {
  const step = stepsSaved(directory).at(-1);
  if (step === undefined) return;
  process.stderr.write(
    `The run is saved up to step ${step}. To go on from there:\n  ${resumeCommand(directory)}\n`,
  );
}

function resumeCommand(directory: string): string {
  const path = oneLine(here(directory));
  return `npx cipo train --resume ${/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`}`;
}
