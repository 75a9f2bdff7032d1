/** `cipo eval`: measures the held-out quality of a policy without training it. */
import type { Evaluation, TrainConfig } from '@cipo/trainer';
import { Command } from 'commander';
import type { SettingFlags } from '../config/flags.ts';
import { EXIT } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { resolveModelConfig } from '../run/model.ts';
import { formatCount, plural } from '../terminal/format.ts';
import { shortPath } from '../terminal/lines.ts';
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
  $ cipo eval runs/latest                          the best policy of a run, on the tasks of that run
  $ cipo eval runs/latest/checkpoints/step-100     one checkpoint
  $ cipo eval --tasks 1000 --samples 16 --json > quality.json

The table goes to standard output, the progress to standard error.`;

export function evalCommand(): Command {
  const command = new Command('eval')
    .summary('evaluate a policy on held-out tasks')
    .description(
      'Measures pass@1, pass@k, fix rate and retention on held-out tasks, each with a 95 % interval.',
    )
    .argument('[model]', 'folder of a policy or of a run (default: the shipped warm start)')
    .option('--tasks <n>', 'number of held-out tasks, over all kinds (default 400)')
    .option('--samples <k>', 'samples per task (default 8)')
    .option('--json', 'print the numbers as JSON');
  return withSettings(withDomains(command))
    .addHelpText('after', EXAMPLES)
    .action(async (model: string | undefined, flags: EvalFlags) => {
      await evaluatePolicy(await resolveModelConfig(model, flags), flags.json === true);
    });
}

async function evaluatePolicy(config: TrainConfig, json: boolean): Promise<void> {
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
    const text = json ? JSON.stringify(evaluation, null, 2) : evaluationText(config, evaluation);
    process.stdout.write(`${text}\n`);
  } finally {
    meter.close();
  }
}

function evaluationText(config: TrainConfig, evaluation: Evaluation): string {
  const style = styleOf(process.stdout);
  const name = config.model === undefined ? 'the shipped warm start' : shortPath(config.model);
  const { n } = evaluation.passAt1;
  return [
    `${style.bold(name)} on ${plural(n, 'held-out task')}, ${plural(config.evaluation.samples, 'sample')} each`,
    qualityTable(evaluation, style),
    style.dim(TABLE_NOTES[0] ?? ''),
    style.dim(
      `${formatCount(evaluation.generatedTokens)} tokens generated; ${plural(evaluation.voided, 'attempt')} without a judgement.`,
    ),
  ].join('\n');
}
