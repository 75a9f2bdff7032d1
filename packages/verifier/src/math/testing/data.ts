/** Finds the data of tests and benchmarks: the pairs of this repository, and public data sets that may be absent. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const ROOT = new URL('../../../../../', import.meta.url);

export interface Pair {
  readonly id: string;
  readonly answer: string;
  readonly response: string;
  readonly question?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly type: string;
  readonly label: boolean | null;
  readonly reason: string;
}

export function labeledPairs(): Pair[] {
  const file = new URL('datasets/math-equivalence/pairs.jsonl', ROOT);
  return lines(readFileSync(file, 'utf8')) as Pair[];
}

/**
 * The public data sets: in the folder that the environment variable `CIPO_SHARED` names, else in `../shared` beside the
 * repository. @returns undefined if they are in neither; tests that need them are then skipped
 */
export function sharedDatasets(): string | undefined {
  const folder = process.env.CIPO_SHARED ?? fileURLToPath(new URL('../shared', ROOT));
  return existsSync(`${folder}/datasets/math/train.jsonl.gz`) ? `${folder}/datasets` : undefined;
}

export interface Problem {
  readonly id: string;
  readonly problem: string;
  readonly answer: string;
}

/** MATH train and MATH-500. */
export function mathProblems(datasets: string): Problem[] {
  const train = gunzipSync(readFileSync(`${datasets}/math/train.jsonl.gz`)).toString('utf8');
  const test = readFileSync(`${datasets}/math500/test.jsonl`, 'utf8');
  return [...lines(train), ...lines(test)] as Problem[];
}

export interface Solution extends Problem {
  readonly response: string;
  readonly correct: boolean;
}

/** GSM8K outputs of two models with their published labels. */
export function gsm8kSolutions(datasets: string): Solution[] {
  return lines(readFileSync(`${datasets}/gsm8k_solutions/gpt3_6b.jsonl`, 'utf8')) as Solution[];
}

function lines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
