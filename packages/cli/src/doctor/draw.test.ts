import { expect, test } from 'vitest';
import { PLAIN_STYLE } from '../terminal/style.ts';
import { findingLines } from './draw.ts';
import type { Finding } from './examine.ts';

const judge: Finding = { area: 'judges', name: 'math', ok: true, needed: true, detail: 'correct' };
const install = 'npm install --ignore-scripts onnxruntime-node@1.30.0';
const executor: Finding = {
  ...{ area: 'executors', name: 'onnx:cpu', ok: true, needed: true },
  isDefault: true,
  detail: 'onnxruntime-node 1.30.0',
};

const conclude = (findings: readonly Finding[]) => findingLines(findings, PLAIN_STYLE).at(-1);

test('verdicts and training work if the judges and the default executor do', () => {
  expect(conclude([executor, judge])).toBe('Verdicts and training work on this machine.');
  expect(findingLines([executor, judge], PLAIN_STYLE)[1]).toContain('onnx:cpu (default)');
});

test('without the default executor verdicts work, and the command that installs it is given', () => {
  const missing = { ...executor, ok: false, needed: false, install };
  expect(conclude([missing, judge])).toBe(`Verdicts work. Training needs an executor: ${install}`);
});

test('an installed executor that fails prevents training, a judge that fails prevents both', () => {
  const broken = { ...executor, ok: false };
  expect(conclude([broken, judge])).toBe(
    'Training does not work on this machine until this works: onnx:cpu.',
  );
  expect(conclude([executor, { ...judge, ok: false }])).toBe(
    'Verdicts and training do not work on this machine until this works: math.',
  );
});
