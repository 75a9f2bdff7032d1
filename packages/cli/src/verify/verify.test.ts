import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { RowVerdict } from '@cipo/service';
import { describe, expect, test } from 'vitest';
import { PLAIN_STYLE } from '../terminal/style.ts';
import { openInput, type PlacedRow } from './input.ts';
import { prettyVerdict } from './pretty.ts';
import { missingColumnLines, stoppedLines, summaryLines } from './summary.ts';
import { Tally, wilson } from './tally.ts';

const correct: RowVerdict = {
  id: 'a',
  status: 'accepted',
  passed: true,
  reward: 1,
  diagnostics: [],
  cpuMs: 12,
  wallMs: 1500,
};
const incorrect: RowVerdict = { ...correct, status: 'wrong_answer', passed: false, reward: 0 };
const diagnostic = (message: string, audience: 'policy' | 'operator', details?: object) => ({
  code: 'wrong-answer',
  audience,
  message,
  ...(details ? { details: { ...details } } : {}),
});

describe('prettyVerdict', () => {
  test('the verdict of a correct response is one line', () => {
    expect(prettyVerdict(correct, 'x', PLAIN_STYLE)).toBe(
      '✓ accepted           a  12 ms CPU, 1.5 s\n',
    );
  });

  test('a failed verdict gives its reason once, with the input and the response', () => {
    const diagnostics = [
      diagnostic('expected 2, got 3', 'operator', { input: '[1]' }),
      diagnostic('a wrong answer in a hidden test', 'policy'),
    ];
    const lines = prettyVerdict({ ...incorrect, diagnostics }, 'let f\n= 1', PLAIN_STYLE).split(
      '\n',
    );
    expect(lines.slice(1)).toEqual([
      '    wrong-answer: expected 2, got 3 for [1]',
      '    response: let f⏎ = 1',
      '',
    ]);
  });

  test('guest text has no control characters, no line breaks and a limited length', () => {
    const evil = `\u001b[31m\u0007\u009b2J\u202e\n✓ forged ${'x'.repeat(5000)}`;
    const verdict = {
      ...incorrect,
      id: evil,
      diagnostics: [diagnostic(evil, 'policy', { input: evil })],
    };
    const text = prettyVerdict(verdict, evil, PLAIN_STYLE);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for control characters
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text.split('\n')).toHaveLength(4);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(220);
  });
});

describe('the summary', () => {
  test('the summary counts by file and in total, with an interval', () => {
    const tally = new Tally();
    for (let i = 0; i < 9; i++) tally.add(i < 3 ? correct : incorrect, 'x/a.jsonl');
    tally.add({ ...correct, status: 'infra_error', passed: null, reward: null }, 'x/b.jsonl');
    const text = summaryLines(tally, PLAIN_STYLE).join('\n');
    expect(text).toMatch(/a\.jsonl +9 +3 +6 +0 +33\.3 % \[12\.1, 64\.6\]/);
    expect(text).toMatch(/b\.jsonl +1 +0 +0 +1 +–/);
    expect(text).toMatch(/total +10 +3 +6 +1/);
    expect(text).toContain('wrong_answer 6  accepted 3  infra_error 1');
    expect([tally.badRows, tally.voids]).toEqual([0, 1]);
  });

  test('one row is one row, not "1 rows"', () => {
    const tally = new Tally();
    tally.add(correct, 'a.jsonl');
    expect(summaryLines(tally, PLAIN_STYLE).join('\n')).toMatch(/^1 row in /m);
    expect(stoppedLines(1, undefined, [])[0]).toContain('1 complete row.');
  });

  // Values of statsmodels' proportion_confint(method='wilson').
  test.each([
    [3, 9, 0.1206, 0.6458],
    [0, 10, 0, 0.2775],
    [50, 100, 0.4038, 0.5962],
  ])('the Wilson interval of %i out of %i equals that of statsmodels', (hits, n, low, high) => {
    expect(wilson(hits, n).low).toBeCloseTo(low, 4);
    expect(wilson(hits, n).high).toBeCloseTo(high, 4);
  });

  test('after a stop the summary prints the command that continues, with the new --skip', () => {
    const argv = ['node', 'cipo', 'verify', "it's.jsonl", '--skip', '5', '--out', 'o.jsonl'];
    expect(stoppedLines(12, 'o.jsonl', argv).at(-1)).toBe(
      "  cipo verify 'it'\\''s.jsonl' --out o.jsonl --skip 12",
    );
  });
});

test('rows are skipped and taken across files, and columns are renamed', async () => {
  const folder = await mkdtemp(`${tmpdir()}/cipo-input-`);
  const files = ['a', 'b'].map((name) => `${folder}/${name}.jsonl`);
  await writeFile(files[0]!, '{"i":1,"deep":{"er":"x"}}\n{"i":2,"deep":7}\n');
  await writeFile(files[1]!, '{"i":3,"deep.er":"y"}\n{"i":4}\n');
  const columns = [['response', 'deep.er']] as const;
  const input = await openInput(files, { skip: 1, take: 2, columns });
  const seen: PlacedRow[] = [];
  for await (const row of input.rows()) seen.push(row);
  expect(seen.map(({ line, row }) => [line, row])).toEqual([
    [2, { i: 2, deep: 7 }],
    [1, { i: 3, 'deep.er': 'y', response: 'y' }],
  ]);
  expect(input.missingColumns()).toEqual([]);
  const columnless = await openInput(files, { skip: 0, take: 9, columns: [['response', 'nope']] });
  for await (const _ of columnless.rows());
  const [warning] = missingColumnLines(columnless.missingColumns(), PLAIN_STYLE);
  expect(warning).toBe('--column response=nope: no row has a column "nope".');
  await rm(folder, { recursive: true });
});
