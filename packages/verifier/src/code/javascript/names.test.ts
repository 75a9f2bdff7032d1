/** Tests of the wrapper around test programs. */
import { expect, test } from 'vitest';
import { namesIn, wrapTests } from './names.ts';
import { runJavaScript } from './run.ts';

const nothing = () => undefined;

test('a program may declare only five globals of the realm for its tests', () => {
  const limits = {
    cpuMs: 2000,
    testCpuMs: 2000,
    wallMs: 20_000,
    memoryMb: 64,
    outputChars: 10_000,
    sourceChars: 1000,
  };
  const { tests } = runJavaScript({
    language: 'javascript',
    program: 'console.log(Object.getOwnPropertyNames(globalThis).join(" "))',
    plan: { kind: 'stdio', inputs: [''] },
    limits,
    wallFactor: 40,
    stopAtAbnormalEnd: false,
  });
  const [run] = tests;
  const globals = run?.kind === 'printed' ? run.text.trim() : '';
  expect(namesIn(globals).sort()).toEqual(['escape', 'print', 'prompt', 'readline', 'unescape']);
});

test('tests run in strict mode, or in sloppy mode if they do not compile in it', () => {
  expect(wrapTests('g()', ['g'], 'x', nothing).script).toContain("{ 'use strict'; g()");
  const sloppy = wrapTests('g()', ['g'], 'x', () => {
    throw new SyntaxError();
  });
  expect(sloppy.script).not.toContain('use strict');
  expect(sloppy.isSloppy).toBe(true);
});

test('only the tests can replace the clock and Math.random, under a secret name', () => {
  const { script } = wrapTests(
    'Math.random = g; global.Date.now = g; my.Math.random = 1',
    [],
    'a-b',
    nothing,
  );
  expect(script).toContain('$ab.random = g; $ab.now = g; my.Math.random = 1');
  expect(wrapTests('Math.random === g', [], 'a-b', nothing).script).toContain('Math.random === g');
});

test.each([
  ['a = 1; for (b of c) d.e = 2', 'var a, b; '],
  ['for (k in o) { if (p == 1 || q === 2) (r) => r >= 3 }', 'var k; '],
  ['given = 1; console.log = given', ''],
])('the wrapper of "%s" declares "%s"', (tests, expected) => {
  const [, own] = /^\(async function \(\$x, given\) \{ (.*?)return await/.exec(
    wrapTests(tests, ['given'], 'x', nothing).script,
  )!;
  expect(own).toBe(expected);
});
