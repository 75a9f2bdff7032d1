/**
 * Presets against each other at equal generated tokens, several seeds each, measured on the same held-out problems.
 * Differences are paired by problem: what varies between problems cancels out.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { PresetName, TrainConfig } from '../config.ts';
import type { Estimate, Quality, Summary, TrainEvent } from '../events.ts';
import { train } from '../loop/train.ts';
import { PARTS, type ProblemResult } from './quality.ts';
import { type Part, pairedDifference, pooledEstimate } from './statistics.ts';

export interface CompareOptions {
  readonly presets: readonly PresetName[];
  readonly seeds: readonly number[];
  /** Configuration of one run; its preset and seed are those given. */
  readonly configure: (preset: PresetName, seed: number) => TrainConfig;
  /** Runs go to `<directory>/<preset>-<seed>`; a finished one found there is not run again, an interrupted one goes on. */
  readonly directory: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (preset: PresetName, seed: number, event: TrainEvent) => void;
}

export interface Arm {
  readonly preset: PresetName;
  readonly runs: readonly Summary[];
  /** Over problems and seeds: before training, after it, and this arm minus the first one after training. */
  readonly before: Quality;
  readonly after: Quality;
  readonly difference: Quality;
}

const NAMES = Object.keys(PARTS) as (keyof Quality)[];

/** Runs what is not there yet and sums up. @throws {Error} where a run was interrupted */
export async function compare(options: CompareOptions): Promise<Arm[]> {
  const arms: { preset: PresetName; runs: Finished[] }[] = [];
  for (const preset of options.presets) {
    const runs: Finished[] = [];
    for (const seed of options.seeds) runs.push(await finishedRun(options, preset, seed));
    arms.push({ preset, runs });
  }
  const baseline = arms[0]!.runs.map((r) => r.after);
  return arms.map(({ preset, runs }) => ({
    preset,
    runs: runs.map((r) => r.summary),
    before: shares((part) => pooledEstimate(runs.map((r) => r.before.map(part)))),
    after: shares((part) => pooledEstimate(runs.map((r) => r.after.map(part)))),
    difference: shares((part) =>
      pairedDifference(
        runs.map((r) => r.after.map(part)),
        baseline.map((results) => results.map(part)),
      ),
    ),
  }));
}

function shares(of: (part: (r: ProblemResult) => Part) => Estimate): Quality {
  const [passAt1, passAtK, fixRate, retention] = NAMES.map((name) => of(PARTS[name]));
  return { passAt1: passAt1!, passAtK: passAtK!, fixRate: fixRate!, retention: retention! };
}

interface Finished {
  readonly summary: Summary;
  readonly before: readonly ProblemResult[];
  readonly after: readonly ProblemResult[];
}

async function finishedRun(
  options: CompareOptions,
  preset: PresetName,
  seed: number,
): Promise<Finished> {
  const directory = join(options.directory, `${preset}-${seed}`);
  const config = options.configure(preset, seed);
  const found = await readSummary(directory);
  if (found) await sameConfig(directory, config);
  const summary =
    found && !found.interrupted
      ? found
      : await train(config, {
          directory,
          resume: found !== undefined,
          ...(options.signal && { signal: options.signal }),
          onEvent: (event) => options.onEvent?.(preset, seed, event),
        });
  if (summary.interrupted)
    throw new Error(`the run in ${directory} was interrupted; the same command goes on`);
  const results = async (name: string): Promise<ProblemResult[]> =>
    (await readFile(join(directory, 'evaluations', `${name}.jsonl`), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { summary, before: await results('before'), after: await results('after') };
}

/** @throws where the run that is there was made otherwise: its numbers are not for this table */
async function sameConfig(directory: string, config: TrainConfig): Promise<void> {
  const found: unknown = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8'));
  if (!isDeepStrictEqual(found, JSON.parse(JSON.stringify(config))))
    throw new Error(
      `the run in ${directory} was made with another configuration; name another folder for the runs`,
    );
}

async function readSummary(directory: string): Promise<Summary | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, 'summary.json'), 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
