/**
 * Compares presets at equal generated tokens, over several seeds, on the same held-out problems. Differences are paired
 * by problem, so the variation between problems cancels out.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '@cipo/support';
import type { PresetName, TrainConfig } from '../config.ts';
import { ConfigError, Interrupted } from '../errors.ts';
import type { Estimate, Quality, Summary, TrainEvent } from '../events.ts';
import { train } from '../loop/train.ts';
import { type ProblemResult, TALLIES } from './quality.ts';
import { pairedDifference, pooledEstimate, type Tally } from './statistics.ts';

/** Options of {@link compare}. */
export interface CompareOptions {
  /** The first one is the baseline. */
  readonly presets: readonly PresetName[];
  /** Each preset is trained once with each seed. */
  readonly seeds: readonly number[];
  /** Gives the configuration of one run. */
  readonly configure: (preset: PresetName, seed: number) => TrainConfig;
  /** Runs are in `<directory>/<preset>-<seed>`. Finished runs are reused, interrupted ones are resumed. */
  readonly directory: string;
  /** Stops after the current step; {@link compare} then throws {@link Interrupted}, and the same call resumes. */
  readonly signal?: AbortSignal;
  /** Receives the events of the runs, one run after the other. */
  readonly onEvent?: (preset: PresetName, seed: number, event: TrainEvent) => void;
}

/** The results of one preset, over all problems and seeds. */
export interface Arm {
  readonly preset: PresetName;
  /** One for each seed. */
  readonly runs: readonly Summary[];
  /** Before training. */
  readonly before: Quality;
  /** After training. */
  readonly after: Quality;
  /** After training: this arm minus the first arm. */
  readonly difference: Quality;
}

/**
 * Trains every preset with every seed, as far as that has not been done, and compares the results.
 * @returns one arm for each preset, in the order given
 * @throws {Interrupted} if `signal` stopped a run; {@link ConfigError} if a run in `directory` has another
 * configuration
 */
export async function compare(options: CompareOptions): Promise<Arm[]> {
  const arms: { readonly preset: PresetName; readonly runs: readonly FinishedRun[] }[] = [];
  for (const preset of options.presets) {
    const runs: FinishedRun[] = [];
    for (const seed of options.seeds) {
      runs.push(await finishRun(options, preset, seed));
    }
    arms.push({ preset, runs });
  }
  const baseline = arms[0]?.runs ?? [];
  return arms.map(({ preset, runs }) => ({
    preset,
    runs: runs.map(({ summary }) => summary),
    before: eachShare((tally) => pooledEstimate(runs.map(({ before }) => before.map(tally)))),
    after: eachShare((tally) => pooledEstimate(runs.map(({ after }) => after.map(tally)))),
    difference: eachShare((tally) =>
      pairedDifference(
        runs.map(({ after }) => after.map(tally)),
        baseline.map(({ after }) => after.map(tally)),
      ),
    ),
  }));
}

function eachShare(estimateOf: (tally: (result: ProblemResult) => Tally) => Estimate): Quality {
  return {
    passAt1: estimateOf(TALLIES.passAt1),
    passAtK: estimateOf(TALLIES.passAtK),
    fixRate: estimateOf(TALLIES.fixRate),
    retention: estimateOf(TALLIES.retention),
  };
}

interface FinishedRun {
  readonly summary: Summary;
  readonly before: readonly ProblemResult[];
  readonly after: readonly ProblemResult[];
}

/** Reads a finished run; resumes or starts it first if needed. */
async function finishRun(
  options: CompareOptions,
  preset: PresetName,
  seed: number,
): Promise<FinishedRun> {
  const directory = join(options.directory, `${preset}-${seed}`);
  const config = options.configure(preset, seed);
  const found = await readSummary(directory);
  if (found) await assertSameConfig(directory, config);
  const summary =
    found && !found.interrupted
      ? found
      : await train(config, {
          directory,
          resume: found !== undefined,
          ...(options.signal && { signal: options.signal }),
          onEvent: (event) => options.onEvent?.(preset, seed, event),
        });
  if (summary.interrupted) {
    throw new Interrupted(`the run in ${directory} was interrupted; the same command resumes it`);
  }
  return {
    summary,
    before: await readResults(directory, 'before'),
    after: await readResults(directory, 'after'),
  };
}

async function readResults(directory: string, name: string): Promise<ProblemResult[]> {
  const text = await readFile(join(directory, 'evaluations', `${name}.jsonl`), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/**
 * @throws {ConfigError} if the run in the folder has another configuration: its numbers do not belong in the comparison
 */
async function assertSameConfig(directory: string, config: TrainConfig): Promise<void> {
  const found: unknown = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8'));
  if (!isDeepStrictEqual(found, JSON.parse(JSON.stringify(config)))) {
    throw new ConfigError(
      `the run in ${directory} has another configuration; use another folder for the runs`,
    );
  }
}

async function readSummary(directory: string): Promise<Summary | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, 'summary.json'), 'utf8'));
  } catch (error) {
    if (isRecord(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
