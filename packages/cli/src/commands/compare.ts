/** `cipo compare`: presets against each other at equal generated tokens, several seeds each. */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { PRESETS, type PresetName, type TrainConfig } from '@cipo/trainer/config';
import { Command } from 'commander';
import { comparisonPage } from '../compare/markdown.ts';
import type { SettingFlags } from '../config/flags.ts';
import { resolveConfig } from '../config/resolve.ts';
import { EXIT, UserError } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { metric, short } from '../terminal/format.ts';
import { here } from '../terminal/lines.ts';
import { Meter } from '../terminal/meter.ts';
import { withSettings } from './options.ts';

interface CompareFlags extends SettingFlags {
  readonly presets: string;
  readonly seeds: string;
  readonly tokens: string;
  readonly runs: string;
  readonly out?: string;
}

/** More steps than any token budget allows: the budget ends the run. */
const UNBOUNDED_STEPS = 1_000_000;

const EXAMPLES = `
Examples:
  $ cipo compare                                   grpo against cipo, three seeds each
  $ cipo compare --presets grpo,cipo,dapo --seeds 1,2 --tokens 500000
  $ cipo compare --set tasks.arithmeticLevel=4 --out docs/measurements/harder.md

Finished runs in --runs are used again and an interrupted one goes on, so the same command continues
after Ctrl-C.`;

export function compareCommand(): Command {
  const command = new Command('compare')
    .summary('presets against each other at equal generated tokens')
    .description(
      'Trains each preset with each seed until the same number of generated tokens, measures all on the same\nheld-out tasks and writes a page with the table. The first preset is the baseline.',
    )
    .argument('[config]', 'YAML file with settings that all runs share')
    .option('--presets <names>', 'comma-separated', 'grpo,cipo')
    .option('--seeds <numbers>', 'comma-separated', '1,2,3')
    .option('--tokens <n>', 'generated tokens of each run', '1000000')
    .option('--runs <dir>', 'folder of the runs', 'runs/compare')
    .option('--out <file>', 'Markdown page to write (default: standard output)');
  return withSettings(command).addHelpText('after', EXAMPLES).action(run);
}

async function run(file: string | undefined, flags: CompareFlags): Promise<void> {
  const presets = list(flags.presets).map(presetNamed);
  const seeds = list(flags.seeds).map((s) => wholeNumber('--seeds', s, 0));
  const tokens = wholeNumber('--tokens', flags.tokens, 1);
  const configs = new Map<string, TrainConfig>();
  for (const preset of presets) {
    for (const seed of seeds) {
      const resolved = await resolveConfig({
        ...(file !== undefined && { file }),
        flags: { ...settings(flags), preset, seed: String(seed), steps: String(UNBOUNDED_STEPS) },
      });
      configs.set(`${preset} ${seed}`, { ...resolved, maxGeneratedTokens: tokens });
    }
  }
  const { compare } = await import('@cipo/trainer');
  const meter = new Meter(process.stderr, 'tokens (thousands)');
  using interrupt = listenForInterrupt(() => process.stderr.write('\nStopping after this step.\n'));
  const total = presets.length * seeds.length * tokens;
  const spent = new Map<string, number>();
  const work = compare({
    presets,
    seeds,
    directory: flags.runs,
    configure: (preset, seed) => configs.get(`${preset} ${seed}`)!,
    signal: interrupt.signal,
    onEvent: (preset, seed, event) => {
      if (event.type !== 'step') return;
      const { num_tokens = 0, reward = 0 } = event.metrics;
      spent.set(`${preset} ${seed}`, num_tokens);
      const done = [...spent.values()].reduce((a, b) => a + b, 0);
      meter.update(
        Math.round(done / 1000),
        Math.round(total / 1000),
        `${preset} seed ${seed} at ${short(num_tokens)}, reward ${metric(reward)}`,
      );
    },
  }).finally(() => meter.close());
  const arms = await work.catch((error: unknown) => {
    if (!interrupt.signal.aborted) throw error;
    throw new UserError('Stopped. The same command goes on from here.', EXIT.interrupted);
  });
  await write(
    comparisonPage({
      arms,
      config: configs.values().next().value!,
      command: commandLine(file, flags),
      machine: `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unnamed processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
      date: new Date().toISOString().slice(0, 10),
    }),
    flags.out,
  );
}

/** The flags that every command shares, without this one's own. */
function settings({
  presets: _p,
  seeds: _s,
  tokens: _t,
  runs: _r,
  out: _o,
  ...rest
}: CompareFlags): SettingFlags {
  return rest;
}

async function write(page: string, out: string | undefined): Promise<void> {
  if (out === undefined) {
    process.stdout.write(page);
    return;
  }
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, page);
  process.stdout.write(`The table is in ${here(join(out))}.\n`);
}

/** As it would be typed again. */
function commandLine(file: string | undefined, flags: CompareFlags): string {
  const { presets, seeds, tokens, set = [], engine, out } = flags;
  return [
    'npx cipo compare',
    file,
    `--presets ${presets} --seeds ${seeds} --tokens ${tokens}`,
    engine && `--engine ${engine}`,
    ...set.map((s) => `--set ${s}`),
    out && `--out ${out}`,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
}

const list = (text: string) => text.split(',').map((part) => part.trim());

function presetNamed(name: string): PresetName {
  const found = PRESETS.find((p) => p === name);
  if (found) return found;
  throw new UserError(`--presets: no preset ${name}. There are ${PRESETS.join(', ')}.`, EXIT.usage);
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new UserError(
    `${flag}: expected a whole number of at least ${least}, received ${text}.`,
    EXIT.usage,
  );
}
