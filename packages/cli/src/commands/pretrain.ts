/** `cipo pretrain`: trains a warm start from random weights on the embedded tasks. */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import type { SettingFlags } from '../config/flags.ts';
import { resolvePlain } from '../config/resolve.ts';
import { EXIT, UserError } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { formatMetric, formatPercent } from '../terminal/format.ts';
import { shortPath } from '../terminal/lines.ts';
import { Meter } from '../terminal/meter.ts';
import { styleOf } from '../terminal/style.ts';
import { qualityTable } from '../terminal/table.ts';
import { withSettings } from './options.ts';

interface PretrainFlags extends SettingFlags {
  readonly out?: string;
}

const EXAMPLES = `
Examples:
  $ cipo pretrain --out my-policy
  $ cipo train --model my-policy
  $ cipo pretrain --out tiny --steps 400 --set model.hidden_size=64 --set model.num_hidden_layers=2`;

export function pretrainCommand(): Command {
  const command = new Command('pretrain')
    .summary('make a warm start for the embedded tasks')
    .description(
      'Trains a small policy from random weights on correct answers and corrections of the embedded tasks.\nThe result is a folder that `cipo train --model` can start from.',
    )
    .argument('[config]', 'YAML file with settings')
    .option('--out <dir>', 'folder of the policy (default warm-start)')
    .option('--steps <n>', 'optimizer steps');
  return withSettings(command).addHelpText('after', EXAMPLES).action(pretrainPolicy);
}

async function pretrainPolicy(file: string | undefined, flags: PretrainFlags): Promise<void> {
  const directory = flags.out ?? 'warm-start';
  if (existsSync(directory)) {
    throw new UserError(`--out: ${directory} already exists. Name another folder.`, EXIT.usage);
  }
  const { pretrain, pretrainConfig } = await import('@cipo/trainer');
  const config = await resolvePlain(pretrainConfig, { ...(file !== undefined && { file }), flags });
  const style = styleOf(process.stdout);
  const meter = new Meter(process.stderr, 'step');
  using interrupt = listenForInterrupt(() => {
    meter.close();
    process.exit(EXIT.interrupted); // nothing is written before the end
  });
  const evaluation = await pretrain(config, {
    directory,
    signal: interrupt.signal,
    onStep: (step, steps, loss) => meter.update(step, steps, `loss ${formatMetric(loss)}`),
    onEvaluated: (step, { passAt1, fixRate, retention }) => {
      meter.close();
      process.stderr.write(
        `step ${step}: pass@1 ${formatPercent(passAt1.mean)}  fix rate ${formatPercent(fixRate.mean)}  retention ${formatPercent(retention.mean)}\n`,
      );
    },
  }).finally(() => meter.close());
  process.stdout.write(
    `${qualityTable(evaluation, style)}\nThe policy is in ${shortPath(directory)}.\n`,
  );
}
