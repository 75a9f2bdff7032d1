/** Tests of assert tests in JavaScript: what programs and test programs may still do, and deep equality. */
import nodeAssert from 'node:assert';
import { afterAll, describe, expect, test } from 'vitest';
import { createCodeVerifier, parseCodeTask } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1 });
afterAll(() => verifier.close());

/** A program that does nothing. */
const IDLE = 'const f = 0';

/** `accepted`, or the diagnostics of a program under a test program. */
async function judge(answer: string, program: string): Promise<string> {
  const code = `const assert = require('assert');\n${program}`;
  const row = { language: 'javascript', tests: { type: 'assert', code } };
  const verdict = await verifier.verify(parseCodeTask(row), answer);
  if (verdict.kind === 'void') return `${verdict.fault}: ${verdict.detail}`;
  return verdict.passed ? 'accepted' : JSON.stringify(verdict.diagnostics);
}

describe('correct programs', () => {
  test.each([
    [
      'add a method to a built-in',
      'Array.prototype.last = function () { return this.at(-1) }',
      'assert.equal([1, 2].last(), 2)',
    ],
    [
      'add one by defineProperty, in strict mode',
      '"use strict"; Object.defineProperty(String.prototype, "shout", { value() { return this.toUpperCase() } })',
      'assert.equal("a".shout(), "A")',
    ],
    [
      'add methods to the built-ins that programs usually extend',
      `"use strict";
       Function.prototype.twice = function (x) { return this(this(x)) };
       Number.prototype.plus = function (n) { return this + n };
       Map.prototype.first = function () { return [...this][0] };
       Set.prototype.one = () => 1;
       Date.prototype.nextDay = () => 2;
       Promise.prototype.soon = () => 3;
       Promise.mine = () => 4;
       Object.mine = () => 5;
       Math.clamp = () => 6;`,
      `assert.equal(((x) => x * 2).twice(1), 4);
       assert.equal((1).plus(1), 2);
       assert.deepEqual(new Map([[1, 2]]).first(), [1, 2]);
       assert.deepEqual([new Set().one(), new Date().nextDay(), Promise.resolve().soon()], [1, 2, 3]);
       assert.deepEqual([Promise.mine(), Object.mine(), Math.clamp()], [4, 5, 6]);`,
    ],
    [
      'replace a built-in method in strict mode without effect',
      '"use strict"; Array.prototype.map = function () { return [] }',
      'assert.deepEqual([1].map((x) => x + 1), [2])',
    ],
    [
      'assign a field with the name of a method of a built-in',
      'class Sub extends Array { constructor() { super(); this.map = 1; this.find = 2 } } const f = () => new Sub()',
      'assert.deepEqual([f().map, f().find], [1, 2])',
    ],
    [
      'override a method of its own map',
      '"use strict"; const f = () => { const m = new Map(); const { set } = m; m.set = (k, v) => set.call(m, k, v + 1); return m }',
      'const m = f(); m.set(1, 1); assert.equal(m.get(1), 2)',
    ],
    [
      'override what it inherits from an emitter',
      '"use strict"; const Base = require("events"); function Foo() {} Foo.prototype = Object.create(Base.prototype); Foo.prototype.emit = () => 7',
      'assert.equal(new Foo().emit(), 7)',
    ],
    [
      'declare names that the realm defines for convenience',
      'function escape(s) { return s.replace(/</g, "&lt;") } const print = (x) => x + 1',
      'assert.equal(escape("<"), "&lt;"); assert.equal(print(1), 2)',
    ],
    [
      'use a library',
      'const _ = require("lodash"); const f = (x) => _.sum(_.chunk([x, 2, 3], 2).map(_.last)) + _.template("<%= a %>")({ a: 1 }).length',
      'assert(require("lodash").isEqual(f(1), 6)); require("lodash").memoize((x) => x)(1)',
    ],
  ])('a program may %s', async (_name, answer, program) => {
    expect(await judge(answer, program)).toBe('accepted');
  });
});

describe('test programs', () => {
  test.each([
    [
      'replace console.log for a while',
      'const f = () => console.log("hi", 1)',
      'const seen = []; const { log } = console; console.log = (...a) => seen.push(a); f(); console.log = log; assert.deepEqual(seen, [["hi", 1]])',
    ],
    [
      'replace process.stdout.write for a while',
      'const f = () => process.stdout.write("hi")',
      'const seen = []; process.stdout.write = (s) => seen.push(s); f(); assert.deepEqual(seen, ["hi"])',
    ],
    [
      'replace Math.random and restore it',
      'const f = () => Math.floor(Math.random() * 10)',
      'const { random } = Math; Math.random = () => 0.55; assert.equal(f(), 5); Math.random = random; assert.notEqual(Math.random(), Math.random())',
    ],
    [
      'replace Date.now and restore it',
      'const f = () => Date.now() + 1',
      'const { now } = Date; Date.now = () => 5; assert.equal(f(), 6); Date.now = now; assert(f() > 1e9)',
    ],
    [
      'use undeclared variables',
      'const f = (x) => x + 1',
      'result = f(1); assert.equal(result, 2); for (i = 0; i < 3; i++) assert.equal(f(i), i + 1); for (k of [1]) f(k)',
    ],
    [
      'be one that does not compile in strict mode',
      'const f = (x) => x + 1; class Box { static made = 0; #x = 1; constructor() { Box.made++ } get x() { return this.#x } }',
      'with ({ three: 3 }) assert.equal(f(three), 4); const b = new Box(); assert(b instanceof Box && b.x === 1 && Box.made === 1)',
    ],
  ])('a test program may %s', async (_name, answer, program) => {
    expect(await judge(answer, program)).toBe('accepted');
  });
});

test('a program cannot add methods to built-ins while the tests run', async () => {
  const answer = 'function f() { "use strict"; Array.prototype.late = () => 1 }';
  expect(await judge(answer, 'assert.throws(f, TypeError)')).toBe('accepted');
});

test.each([
  ['[1, [2, { a: 3 }]]', '[1, [2, { a: 3 }]]'],
  ['[1]', '["1"]'],
  ['[0]', '[-0]'],
  ['[NaN]', '[NaN]'],
  ['[undefined]', '[,]'],
  ['{}', '[]'],
  ['{ a: undefined }', '{}'],
  ['Object.create(null)', '{}'],
  ['new Map([[{ a: 1 }, new Set([1, [2]])]])', 'new Map([[{ a: 1 }, new Set([[2], 1])]])'],
  ['new Map([[1, 2]])', 'new Map([[1, 3]])'],
  ['new Set([1])', 'new Set(["1"])'],
  ['new Set()', 'new Map()'],
  ['new Date(5)', 'new Date(6)'],
  ['/a/g', '/a/'],
  ['/a/g', '/a/g'],
  ['new Error("a")', 'new Error("b")'],
  ['new RangeError("a")', 'new Error("a")'],
  ['Object(1)', 'Object(2)'],
  ['Object("a")', 'Object("a")'],
  ['Object(true)', 'Object(false)'],
  ['Object(1n)', 'Object(2n)'],
  ['Object(Symbol.iterator)', 'Object(Symbol.species)'],
  ['new Uint8Array([1, 2])', 'new Uint8Array([1, 3])'],
  ['new Uint8Array([1, 2])', 'new Uint16Array([1, 2])'],
  ['new Uint8Array([1, 2]).buffer', 'new Uint8Array([1, 3]).buffer'],
  ['new Uint8Array([1, 2]).buffer', 'new Uint8Array([1, 2]).buffer'],
  [
    'new DataView(new Uint8Array([1, 2]).buffer, 1)',
    'new DataView(new Uint8Array([3, 2]).buffer, 1)',
  ],
  ['new DataView(new ArrayBuffer(2))', 'new DataView(new Uint8Array([0, 1]).buffer)'],
  ['Object.create(Map.prototype)', 'new Map([[1, 2]])'],
  ['Object.assign(new Date(1), { a: 1 })', 'new Date(1)'],
])('deep equality of %s and %s is as in Node', async (left, right) => {
  const source = `[assert.deepEqual, assert.deepStrictEqual].map((same) => { try { same(${left}, ${right}); return true } catch { return false } })`;
  const inNode = new Function('assert', `return ${source}`)(nodeAssert);
  expect(await judge(IDLE, `assert.equal(String(${source}), '${inNode}')`)).toBe('accepted');
});

test.each([
  ['assert.match(["ab"], /a/)', false],
  ['assert.match("ab", /a/)', true],
  ['assert.doesNotMatch("ab", /c/)', true],
  ['assert.doesNotMatch(5, /c/)', false],
])('%s passes: %s', async (call, holds) => {
  expect((await judge(IDLE, call)) === 'accepted').toBe(holds);
});
