/** The tables of docs/reference/statuses.md against the source: nothing missing, nothing made up. */
import { readFileSync } from 'node:fs';
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
] as const)('the table "%s" has every word of the source and no other', (heading, words) => {
  expect(table(heading)).toEqual([...words]);
});

test('every code of the source is one that is given somewhere', () => {
  const files = ['math/verdict', 'code/findings', 'code/judge', 'code/verifier', 'cells/judge'];
  const source = files
    .map((f) => readFileSync(`${ROOT}packages/verifier/src/${f}.ts`, 'utf8'))
    .join();
  const all = new Set(Object.values(CODES).flat());
  // A code that is one word needs no quotes where it is a key; as a value it always has them.
  expect([...all].filter((code) => !source.includes(`'${code}'`))).toEqual([]);
});

test('the statuses of verdict rows stand in the second column of the faults', () => {
  const rows = [...PAGE.matchAll(/^\| `[\w-]+` \| `(\w+)` \|/gm)].map((match) => match[1]);
  expect(rows).toEqual(['infra_error', 'overloaded', 'undecided', 'bad_task', 'aborted']);
});
