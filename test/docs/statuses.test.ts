/** Compares the tables of docs/reference/statuses.md with the source. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CODES, FAULTS, STATUSES } from '@cipo/verifier';
import { expect, test } from 'vitest';
import { ROOT } from './run.ts';

const PAGE = readFileSync(`${ROOT}docs/reference/statuses.md`, 'utf8');

/** First columns of the table under a heading. */
function table(heading: string): string[] {
  const [, section = ''] = PAGE.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const [own = ''] = section.split(/^#/m);
  return [...own.matchAll(/^\| `([\w-]+)`/gm)].map((match) => match[1] ?? '');
}

test.each([
  ['Statuses', STATUSES],
  ['Faults', FAULTS],
  ['math', CODES.math],
  ['code', CODES.code],
  ['Cells', CODES.cells],
] as const)('the table "%s" has every name of the source and no other', (heading, words) => {
  expect(table(heading)).toEqual([...words]);
});

test('every diagnostic code of the source is reported somewhere', () => {
  const source = globSync('packages/verifier/src/{math,code,cells}/*.ts', { cwd: ROOT })
    .filter((path) => !path.endsWith('.test.ts'))
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .join();
  const all = new Set(Object.values(CODES).flat());
  // As a value a code always has quotes; as an object key a code of one word has none.
  expect([...all].filter((code) => !source.includes(`'${code}'`))).toEqual([]);
});

test('the second column of the table of faults has the statuses of verdict rows', () => {
  const rows = [...PAGE.matchAll(/^\| `[\w-]+` \| `(\w+)` \|/gm)].map((match) => match[1]);
  expect(rows).toEqual(['infra_error', 'overloaded', 'undecided', 'bad_task', 'aborted']);
});
