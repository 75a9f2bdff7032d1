/**
 * Writes HumanEval, MBPP and GSM8K with responses as files of rows. Their folder is named by the environment variable
 * `CIPO_SHARED`, else it is `../shared`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SHARED =
  process.env.CIPO_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url));

export const isAvailable = existsSync(`${SHARED}/datasets`);

/** Fields for rows without them: answers are extracted from prose, and the program of mbpp/123 needs about ten seconds. */
export const DEFAULTS = { options: { extraction: 'any' }, limits: { cpuMs: 60_000 } } as const;
/** The same for the command line. */
export const SETTINGS = ['--set', 'options.extraction=any', '--set', 'limits.cpuMs=60000'];

type Row = Record<string, unknown>;

/** Each data set with the column that has a response: reference solutions for code, outputs of a 6B model for GSM8K. */
const SETS = [
  { name: 'humaneval', file: 'humaneval/humaneval.jsonl', answer: 'canonical_solution' },
  { name: 'mbpp', file: 'mbpp/mbpp.jsonl', answer: 'code' },
  { name: 'gsm8k', file: 'gsm8k_solutions/gpt3_6b.jsonl', answer: 'response' },
] as const;

function rowsOf({ file, answer }: (typeof SETS)[number]): Row[] {
  const lines = readFileSync(`${SHARED}/datasets/${file}`, 'utf8').trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as Row)
    .map((row) => ({ ...row, response: row[answer] }));
}

/** Writes one file per data set. @param most rows of each @returns the paths */
export function writeSets(folder: string, most: number): string[] {
  return SETS.map((set) => {
    const path = join(folder, `${set.name}.jsonl`);
    writeFileSync(
      path,
      `${rowsOf(set)
        .slice(0, most)
        .map((row) => JSON.stringify(row))
        .join('\n')}\n`,
    );
    return path;
  });
}

/** Writes the GSM8K rows `times` times, each with its own id. @returns the path */
export function writeMany(folder: string, times: number): string {
  const path = join(folder, 'many.jsonl');
  const rows = rowsOf(SETS[2]);
  writeFileSync(path, '');
  for (let round = 0; round < times; round++) {
    const lines = rows.map((row) => JSON.stringify({ ...row, id: `${row.id}#${round}` }));
    writeFileSync(path, `${lines.join('\n')}\n`, { flag: 'a' });
  }
  return path;
}
