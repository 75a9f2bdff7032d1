/** HumanEval, MBPP and GSM8K with answers to judge, as files of rows. The data lies in `CIPO_SHARED`, else `../shared`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SHARED =
  process.env.CIPO_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url));

export const available = existsSync(`${SHARED}/datasets`);

/** Fields of rows that lack them: answers in prose are looked for in it, and mbpp/123 searches for some ten seconds. */
export const DEFAULTS = { options: { extraction: 'any' }, limits: { cpuMs: 60_000 } } as const;
/** The same for the command line. */
export const SETTINGS = ['--set', 'options.extraction=any', '--set', 'limits.cpuMs=60000'];

type Row = Record<string, unknown>;

/** Each set with the column that has an answer: reference solutions for code, a 6B model's for GSM8K. */
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

/** Writes a file for each set, of so many rows at most; their paths. */
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

/** GSM8K's answers, each so many times under an id of its own. */
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
