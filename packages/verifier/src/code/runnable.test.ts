/** Tests of which test programs can judge an attempt. */
import { describe, expect, test } from 'vitest';
import { createCodeVerifier, parseCodeTask } from './index.ts';
import { MODULES, problemOfTests } from './runnable.ts';

describe('test programs in JavaScript', () => {
  test.each([
    ['that is empty', '', 'must test something'],
    ['of comments only', '// f(1)\n/* f(2) */', 'must test something'],
    ['that requires an unknown module', 'const { test } = require("node:test");', 'node:test'],
    [
      'with an import over several lines',
      "import {\n  render,\n} from '@testing-library/react';",
      'react',
    ],
    [
      'that requires the file of the solution',
      "const { f } = require('./solution');",
      './solution',
    ],
    [
      'for a test runner',
      "describe('f', () => {\n  it('works', () => {});\n});",
      'test runner that defines describe',
    ],
    ['with tables of a test runner', "test.each('abc')", 'test runner that defines test'],
  ])('a test program %s is refused', (_name, code, problem) => {
    expect(problemOfTests(code)).toContain(problem);
  });

  test.each([
    "const assert = require('assert'); assert.equal(f(1), 1)",
    "import * as assert from 'node:assert/strict';\nassert.equal(f(1), 1)",
    "// describe('f')\nif (f(1) !== 1) throw new Error('from \"x\"')",
    "function test(name, run) { run(); }\ntest('f', () => f(1))",
    'test(f)',
  ])('the test program %j is accepted', (code) => {
    expect(problemOfTests(code)).toBeUndefined();
  });

  test('the sandbox has every module in MODULES and no other', async () => {
    const verifier = createCodeVerifier({ workers: 1 });
    const names = [...MODULES.flatMap((name) => [name, `node:${name}`]), 'test', 'react'];
    const source = `const has = (name) => { try { return typeof require(name); } catch { return 'none'; } };
      console.log(${JSON.stringify(names)}.map(has).join());`;
    const ran = await verifier.run({ language: 'javascript', source: `${source} // lodash` });
    const found = ran.kind === 'ran' ? ran.stdout.trim().split(',') : [];
    expect(found.map((kind) => kind !== 'none')).toEqual(
      names.map((name) => MODULES.includes(name.replace(/^node:/, ''))),
    );
    await verifier.close();
  });
});

test('a row with a test program that cannot run is refused with the field tests.code', () => {
  const row = { language: 'typescript', tests: { type: 'assert', code: 'it("works", () => {})' } };
  expect(() => parseCodeTask(row)).toThrow(
    /^tests\.code: must call the code that it tests directly/,
  );
});
