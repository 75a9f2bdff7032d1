/** `cipo train`: trains a policy from a configuration and shows the run in the terminal. */
import { join } from 'node:path';
import type { Summary, TrainConfig, TrainEvent } from '@cipo/trainer';
import { Command } from 'commander';
import type { SettingFlags } from '../config/flags.ts';
import { resolveConfig } from '../config/resolve.ts';
import { EXIT, UserError } from '../errors.ts';
import { recordEnvironment } from '../run/environment.ts';
import {
  chooseRunFolder,
  claimRunFolder,
  discardEmptyRun,
  linkLatest,
  listSavedSteps,
  requireResumable,
} from '../run/folder.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { requireModel } from '../run/model.ts';
import { oneLine } from '../terminal/guest.ts';
import { closingLines, shortPath } from '../terminal/lines.ts';
import { Screen } from '../terminal/screen.ts';
import { withDomains, withSettings } from './options.ts';

interface TrainFlags extends SettingFlags {
  readonly out?: string;
  readonly resume?: string;
}

const EXAMPLES = `
Examples:
  $ cipo train                                     the cipo preset, from the shipped warm start
  $ cipo train --preset grpo --steps 50            plain GRPO, a shorter run
  $ cipo train my-run.yaml --seed 2                settings from a file, another seed
  $ cipo train --set rollout.prompts=16 --set corrections.diagnosticsRate=1
  $ cipo train --resume runs/latest                continue after Ctrl-C

Later settings override earlier ones: defaults < preset < file < flags. docs/reference/configuration.md lists every
key. The file is YAML:
  preset: cipo
  steps: 200
  optimizer:
    learningRate: 5e-5

A run writes config.json, metrics.jsonl, samples.jsonl, checkpoints/, summary.json and report.html to runs/<name>/;
runs/latest points to the newest run. Ctrl-C stops after the current step, saves, and prints how to continue.`;

export function trainCommand(): Command {
  const command = new Command('train')
    .summary('train a policy and evaluate it before and after')
    .description(
      'Trains a policy on tasks whose answers are verified, and on corrections of its own attempts.\nEvaluates it on held-out tasks before and after training.',
    )
    .argument('[config]', 'YAML file with settings')
    .option('--preset <name>', 'cipo, cipo-attributed, grpo, dapo or dr-grpo (default cipo)')
    .option('--steps <n>', 'optimizer steps')
    .option('--model <dir>', 'policy to start from (default: the shipped warm start)')
    .option('--out <dir>', 'folder of the run (default runs/<preset>-s<seed>-<date>)')
    .option('--resume <dir>', 'continue a stopped run from its newest checkpoint');
  return withSettings(withDomains(command))
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, flags: TrainFlags) => {
      const plan = await planRun(file, flags);
      process.exitCode = await runTraining(plan);
    });
}

interface Plan {
  readonly config: TrainConfig;
  readonly directory: string;
  readonly resume: boolean;
}

async function planRun(file: string | undefined, flags: TrainFlags): Promise<Plan> {
  const plan = flags.resume === undefined ? newRun(file, flags) : resumedRun(file, flags);
  const { model } = (await plan).config;
  if (model !== undefined) requireModel(model);
  return plan;
}

async function newRun(file: string | undefined, flags: TrainFlags): Promise<Plan> {
  const config = await resolveConfig({ ...(file !== undefined && { file }), flags });
  const directory = chooseRunFolder(flags.out, config.preset, config.seed);
  return { config, directory, resume: false };
}

async function resumedRun(file: string | undefined, flags: TrainFlags): Promise<Plan> {
  const clash = [
    file !== undefined && 'a configuration file',
    flags.out !== undefined && '--out',
    flags.preset !== undefined && '--preset',
    flags.model !== undefined && '--model',
    flags.seed !== undefined && '--seed',
  ].find((given) => given !== false);
  if (clash !== undefined) {
    throw new UserError(
      `--resume continues with the configuration of the run and cannot be combined with ${clash}. --steps and --set can change it.`,
      EXIT.usage,
    );
  }
  const directory = requireResumable(flags.resume ?? '');
  const runConfig = join(directory, 'config.json');
  return {
    config: await resolveConfig({ file: runConfig, flags, complete: true }),
    directory,
    resume: true,
  };
}

/** @returns the exit code */
async function runTraining({ config, directory, resume }: Plan): Promise<number> {
  const isNew = !resume && claimRunFolder(directory);
  const { train } = await import('@cipo/trainer');
  const screen = new Screen(process.stdout);
  const { style } = screen;
  using interrupt = listenForInterrupt(() => {
    const unit = screen.progress.evaluating ? 'evaluation' : 'step';
    screen.print([
      style.yellow(
        `Stopping after this ${unit} and saving. Press Ctrl-C again to stop immediately.`,
      ),
    ]);
  });
  try {
    const options = {
      directory,
      resume,
      signal: interrupt.signal,
      onEvent: (event: TrainEvent) => {
        screen.show(event);
        if (event.type === 'start') recordEnvironment(directory, event.engine, process.argv);
      },
    };
    const summary = await train(config, options);
    return await finishRun(summary, directory, screen);
  } catch (error) {
    screen.close();
    if (isNew) await discardEmptyRun(directory);
    printSavedState(directory);
    throw error;
  } finally {
    screen.close();
  }
}

async function finishRun(summary: Summary, directory: string, screen: Screen): Promise<number> {
  const { writeReport } = await import('../report/write.ts');
  screen.close();
  const report = await writeReport(directory);
  await linkLatest(directory);
  process.stdout.write(`${closingLines(summary, directory, report, screen.style).join('\n')}\n`);
  if (!summary.interrupted) return EXIT.ok;
  process.stdout.write(
    `\nStopped at step ${summary.steps}. To continue:\n  ${resumeCommand(directory)}\n`,
  );
  return EXIT.interrupted;
}

function printSavedState(directory: string): void {
  const step = listSavedSteps(directory).at(-1);
  if (step === undefined) return;
  process.stderr.write(
    `The run is saved up to step ${step}. To continue from there:\n  ${resumeCommand(directory)}\n`,
  );
}

function resumeCommand(directory: string): string {
  const path = oneLine(shortPath(directory));
  return `npx cipo train --resume ${/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`}`;
}
