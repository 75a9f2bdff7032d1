import { describe, expect, test } from 'vitest';
import { createCodeVerifier, parseCodeTask } from './index.ts';
import { MODULES, problemOfTests } from './runnable.ts';

describe('a test program in JavaScript', () => {
  test.each([
    ['no text', '', 'must test something'],
    ['remarks alone', '// f(1)\n/* f(2) */', 'must test something'],
    ['a module that is not here', 'const { test } = require("node:test");', 'node:test'],
    ['an import over lines', "import {\n  render,\n} from '@testing-library/react';", 'react'],
    ["the answer's file", "const { f } = require('./solution');", './solution'],
    ['a runner', "describe('f', () => {\n  it('works', () => {});\n});", 'runner for describe'],
    ['tables of a runner', "test.each('abc')", 'runner for test'],
  ])('is refused where it cannot judge: %s', (_name, code, problem) => {
    expect(problemOfTests(code)).toContain(problem);
  });

  test.each([
    "const assert = require('assert'); assert.equal(f(1), 1)",
    "import * as assert from 'node:assert/strict';\nassert.equal(f(1), 1)",
    "// describe('f')\nif (f(1) !== 1) throw new Error('from \"x\"')",
    "function test(name, run) { run(); }\ntest('f', () => f(1))",
    'test(f)',
  ])('is taken where it can: %#', (code) => {
    expect(problemOfTests(code)).toBeUndefined();
  });

  test('has every module that is said to be there, and no other', async () => {
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

test('a row whose test program cannot run is refused with its field', () => {
  const row = { language: 'typescript', tests: { type: 'assert', code: 'it("works", () => {})' } };
  expect(() => parseCodeTask(row)).toThrow(/^tests\.code: must call what it tests itself/);
});
