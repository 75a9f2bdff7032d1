/** `cipo eval`: held-out quality of a policy, without training it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainConfig } from '@cipo/trainer';
import { Command } from 'commander';
import type { SettingFlags } from '../config/flags.ts';
import { resolveConfig } from '../config/resolve.ts';
import { EXIT, UserError } from '../errors.ts';
import { stepsSaved } from '../run/folder.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { whole } from '../terminal/format.ts';
import { here } from '../terminal/lines.ts';
import { Meter } from '../terminal/meter.ts';
import { styleOf } from '../terminal/style.ts';
import { qualityTable, TABLE_NOTES } from '../terminal/table.ts';
import { withDomains, withSettings } from './options.ts';

interface EvalFlags extends SettingFlags {
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  $ cipo eval                                      the shipped warm start
  $ cipo eval runs/latest                          a run's best policy, on the tasks of that run
  $ cipo eval runs/latest/checkpoints/step-100     one checkpoint
  $ cipo eval --tasks 1000 --samples 16 --json > quality.json

The table goes to standard output, the progress to standard error.`;

export function evalCommand(): Command {
  const command = new Command('eval')
    .summary('measure a policy on held-out tasks')
    .description(
      'Measures pass@1, pass@k, fix rate and retention on held-out tasks, each with its 95 % interval.',
    )
    .argument('[model]', 'folder of a policy or of a run (default: the shipped warm start)')
    .option('--tasks <n>', 'held-out tasks, over all kinds (default 400)')
    .option('--samples <k>', 'samples of each task (default 8)')
    .option('--json', 'print the numbers as JSON');
  return withSettings(withDomains(command))
    .addHelpText('after', EXAMPLES)
    .action(async (model: string | undefined, flags: EvalFlags) => {
      await run(await configOf(model, flags), flags.json === true);
    });
}

/** A run folder stands for its best policy and its own settings. */
export async function configOf(
  model: string | undefined,
  flags: SettingFlags,
): Promise<TrainConfig> {
  if (model === undefined) return resolveConfig({ flags });
  if (!existsSync(model)) throw new UserError(`There is no folder ${model}.`, EXIT.usage);
  if (!existsSync(join(model, 'checkpoints'))) return resolveConfig({ flags: { ...flags, model } });
  const best = join(model, 'checkpoints', 'best');
  const last = stepsSaved(model).at(-1);
  const chosen = existsSync(best) ? best : join(model, 'checkpoints', `step-${last}`);
  if (!existsSync(chosen)) throw new UserError(`The run ${model} has no checkpoint yet.`);
  const file = join(model, 'config.json');
  return resolveConfig({ file, complete: true, flags: { ...flags, model: chosen } });
}

async function run(config: TrainConfig, json: boolean): Promise<void> {
  const { evaluateModel } = await import('@cipo/trainer');
  const meter = new Meter(process.stderr, 'evaluating');
  using interrupt = listenForInterrupt(() => {
    meter.close();
    process.exit(EXIT.interrupted); // nothing to save
  });
  try {
    const evaluation = await evaluateModel(config, {
      signal: interrupt.signal,
      onProgress: (done, total) => meter.update(done, total),
    });
    meter.close();
    if (json) process.stdout.write(`${JSON.stringify(evaluation, null, 2)}\n`);
    else print(config, evaluation);
  } finally {
    meter.close();
  }
}

function print(
  config: TrainConfig,
  evaluation: Parameters<typeof qualityTable>[0] & { voided: number; generatedTokens: number },
): void {
  const style = styleOf(process.stdout);
  const name = config.model === undefined ? 'the shipped warm start' : here(config.model);
  const lines = [
    `${style.bold(name)} on ${evaluation.passAt1.n} held-out tasks, ${config.evaluation.samples} samples each`,
    qualityTable(evaluation, style),
    style.dim(TABLE_NOTES[0] ?? ''),
    style.dim(
      `${whole(evaluation.generatedTokens)} tokens generated; ${evaluation.voided} attempts without a judgement.`,
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
