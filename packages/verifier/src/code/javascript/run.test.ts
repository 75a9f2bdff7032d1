/** Tests that programs in JavaScript behave as under Node 24: order of events, exits, input, time. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Verdict } from '../../types.ts';
import { createCodeVerifier, parseCodeTask } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1 });
afterAll(() => verifier.close());

const run = async (source: string, stdin = '') => {
  const ran = await verifier.run({ language: 'javascript', source, stdin });
  return ran.kind === 'ran' ? [ran.exitCode ?? ran.end, ran.stdout] : [ran.fault, ran.detail];
};
const statusOf = (verdict: Verdict) =>
  verdict.kind === 'judged' ? verdict.status : `${verdict.fault}: ${verdict.detail}`;
const judge = async (tests: object, answer: string, language = 'javascript') =>
  statusOf(await verifier.verify(parseCodeTask({ language, tests }), answer));

const SAY = 'const say = (x) => () => console.log(x);';

test.each([
  [
    'ticks run before promise jobs, those before timers, and those before immediates',
    'setTimeout(say("timer"), 0); setImmediate(say("immediate")); queueMicrotask(say("job")); process.nextTick(() => { say("tick")(); process.nextTick(say("tick in tick")) }); say("main")()',
    'main tick tick-in-tick job timer immediate',
  ],
  [
    'a tick from a promise job waits for the other jobs',
    'Promise.resolve().then(() => { say(1)(); process.nextTick(say(4)) }).then(say(2)).then(say(3))',
    '1 2 3 4',
  ],
  [
    'a delay outside of 1 to 2^31 - 1 becomes 1, and a fraction is cut',
    '[1, 0, 1.9, 2 ** 31, -5, NaN, "x"].forEach((ms, i) => setTimeout(say(i), ms))',
    '0 1 2 3 4 5 6',
  ],
  [
    'after a timer an immediate runs before the next timer',
    'setTimeout(() => { setTimeout(say("timer"), 0); setImmediate(say("immediate")); process.nextTick(say("tick")) }, 5)',
    'tick immediate timer',
  ],
  [
    'timers run in the order of their times, and equal ones in the order of their creation',
    '[5, 3, 9, 3, 1, 5, 9, 1].forEach((ms, i) => setTimeout(say(i), ms))',
    '4 7 1 3 0 5 2 6',
  ],
  [
    'a timer that an interval sets runs before the next turn of the interval',
    'let n = 0; const t = setInterval(function () { say(n)(); setTimeout(say("x"), 3); if (++n === 3) clearInterval(this) }, 3)',
    '0 x 1 x 2 x',
  ],
  [
    'cleared timers do not run, whatever their position',
    'const t = [7, 2, 9, 4, 4, 1].map((ms, i) => setTimeout(say(i), ms)); clearTimeout(t[1]); clearTimeout(+t[4]); clearTimeout(String(t[5])); clearTimeout(); clearTimeout({}); const i = setImmediate(say("no")); clearImmediate(i)',
    '3 0 2',
  ],
  [
    'an unreferenced interval does not keep the program alive',
    'setInterval(say("never"), 99).unref(); setTimeout(say("end"), 9)',
    'end',
  ],
  [
    'immediates let virtual time pass',
    'let over = false; setTimeout(() => { over = true }, 20); (function spin() { if (over) say("over")(); else setImmediate(spin) })()',
    'over',
  ],
  [
    'no timer runs early by any clock',
    'for (let i = 0; i < 23; i++) Date.now(); const day = Date.now(), from = performance.now(); setTimeout(() => { say(performance.now() - from >= 100)(); say(Date.now() - day >= 100)() }, 100)',
    'true true',
  ],
])('%s', async (_fact, source, said) => {
  const lines = said.split(' ').map((word) => `${word.replaceAll('-', ' ')}\n`);
  expect(await run(`${SAY} ${source}`)).toEqual([0, lines.join('')]);
});

describe('process.exit', () => {
  test.each([
    ['async function main() { console.log(5); process.exit(0) } main()', 0, '5\n'],
    ['const f = async () => console.log(5); f().then(() => process.exit(3))', 3, '5\n'],
    [
      'const f = async () => console.log(5); f().finally(() => process.exit()); f().catch(process.exit).then(process.exit)',
      0,
      '5\n5\n',
    ],
    [
      'try { console.log(5); process.exit(2) } catch (e) { e.code = 0; console.log("no"); throw e } finally { console.log("no") }',
      2,
      '5\n',
    ],
    ['process.exitCode = 3; setInterval(() => {}, 1); setTimeout(process.exit, 9)', 3, ''],
    ['const { exit } = process; exit("4")', 4, ''],
    ['setTimeout(() => { throw 1 }, 1); (async () => process.exit(0))()', 0, ''],
    [
      'process.on("exit", (code) => { console.log(code); process.exitCode = 4 }); console.log("a")',
      4,
      'a\n0\n',
    ],
    [
      'process.on("exit", (code) => { console.log(code); process.exit(9) }); process.exit(3)',
      9,
      '3\n',
    ],
  ])('process.exit ends the program %s', async (source, code, stdout) => {
    expect(await run(source)).toEqual([code, stdout]);
  });
});

describe('standard input', () => {
  const LINES = 'const rl = require("readline").createInterface({ input: process.stdin });';
  test.each([
    [
      'a buffer of one byte',
      'const fs = require("fs"), b = Buffer.alloc(1), all = []; while (fs.readSync(0, b, 0, 1, null)) all.push(b[0]); console.log(Buffer.from(all) + "")',
      'é€ aé€b',
      'é€ aé€b\n',
    ],
    [
      'a buffer of four bytes',
      'const fs = require("fs"), b = Buffer.alloc(4), all = []; let n; while ((n = fs.readSync(0, b))) all.push(...b.subarray(0, n)); console.log(Buffer.from(all) + "")',
      'aé€b',
      'aé€b\n',
    ],
    [
      'an options object for a part of a buffer',
      'const b = Buffer.from("....."); const n = require("fs").readSync(0, b, { offset: 1, length: 2 }); console.log(n, b + "")',
      'abc',
      '2 .ab..\n',
    ],
    [
      'bytes, then text',
      'const fs = require("fs"); fs.readSync(0, Buffer.alloc(2)); console.log(prompt(), fs.readFileSync(0, "utf8"))',
      'aé\nb',
      '\uFFFD b\n',
    ],
    [
      'lines after a close, which Node emits from one chunk',
      `${LINES} rl.on("line", (l) => { console.log(l); if (l === "b") rl.close() }).on("close", () => console.log("closed"))`,
      'a\nb\nc\n',
      'a\nb\nclosed\nc\n',
    ],
    [
      'a question in the middle of lines',
      `${LINES} rl.once("line", () => rl.question("?", (l) => console.log("answer", l))).on("line", (l) => console.log(l))`,
      'a\nb\nc\n',
      'a\nanswer b\nc\n',
    ],
    [
      'a question, which is printed only if there is an output',
      `${LINES} rl.question("no", () => require("readline").createInterface(process.stdin, process.stdout).question("yes", console.log))`,
      'a\nb\n',
      'yesb\n',
    ],
  ])('standard input can be read by %s', async (_name, source, stdin, stdout) => {
    expect(await run(source, stdin)).toEqual([0, stdout]);
  });
});

test.each([
  [
    '120,000 immediates in a chain',
    'let n = 0; (function go() { if (++n < 120000) setImmediate(go); else console.log(n) })()',
    '',
    '120000',
  ],
  [
    '120,000 lines',
    'let n = 0; require("readline").createInterface({ input: process.stdin }).on("line", () => n++).on("close", () => console.log(n))',
    'x\n'.repeat(120_000),
    '120000',
  ],
  [
    '50,000 timers',
    'let n = 0; for (let i = 0; i < 50000; i++) setTimeout(() => { if (++n === 50000) console.log(n) }, i % 97)',
    '',
    '50000',
  ],
  [
    '20,000 bytes one by one',
    'const fs = require("fs"), b = Buffer.alloc(1); let n = 0; while (fs.readSync(0, b)) n++; console.log(n)',
    'x'.repeat(20_000),
    '20000',
  ],
  [
    'a loop that waits for time to pass',
    'for (const now of [Date.now, () => +new Date(), () => performance.now(), () => Number(process.hrtime.bigint()) / 1e6]) { const from = now(); while (now() - from < 20); } console.log("done")',
    '',
    'done',
  ],
  ['a hashbang line', '#!/usr/bin/env node\nconsole.log(1)', '', '1'],
  ['a hashbang line before a module', '#!/usr/bin/env node\nimport "fs"; console.log(1)', '', '1'],
])('a program with %s is accepted', async (_name, answer, input, output) => {
  expect(await judge({ type: 'stdio', cases: [{ input, output }] }, answer)).toBe('accepted');
});

test('a hashbang line does not change the lines of errors', async () => {
  const ran = await verifier.run({ language: 'javascript', source: '#!node\n\nnull.x' });
  expect(ran.kind === 'ran' && ran.stderr).toContain('answer.js:3:6');
});

describe('Class.method', () => {
  const tests = (entry: string) => ({
    type: 'call',
    entry,
    cases: [1, 2].map((x) => ({ args: [x], expected: x })),
  });
  test.each([
    'class A { f(x) { return x } }',
    'class A { static f(x) { return x } }',
    'class B { f(x) { return x } } class A extends B {}',
    'class B { static f(x) { return x } } class A extends B {}',
    'class A { seen = 0; async f(x) { return this.seen++ === 0 && x } }',
    'class A { k = 1; f = (x) => x * this.k }',
    'class A { constructor() { throw new Error("only static") } static f(x) { return x } }',
    'class A { static f() { return 0 } f(x) { return x } }',
    'function A() {} A.prototype.f = function (x) { return x }',
    'const A = { f(x) { return this.g(x) }, g: (x) => x }',
    'const A = () => 0; A.f = (x) => x',
    'module.exports = class { f(x) { return x } }',
    'exports.A = class { f(x) { return x } }',
    'export default class A { f(x) { return x } }',
  ])('Class.method finds the method in %s', async (answer) => {
    expect(await judge(tests('A.f'), answer)).toBe('accepted');
  });
  test('Class.method works in TypeScript and for the class Solution', async () => {
    const answer = (name: string) => `class ${name} { f(x: number): number { return x } }`;
    expect(await judge(tests('A.f'), answer('A'), 'typescript')).toBe('accepted');
    expect(await judge(tests('Solution.f'), answer('Solution'), 'typescript')).toBe('accepted');
  });
  test.each(['class A {}', 'function f(x) { return x }', 'const A = () => 0', 'const A = 5'])(
    'Class.method reports missing_entry for %s',
    async (answer) => expect(await judge(tests('A.f'), answer)).toBe('missing_entry'),
  );
});

describe('a test program', () => {
  const late = 'const assert = require("assert"); f(1, (v) => assert.strictEqual(v, 3))';
  const plain = 'console.assert(f(1) === 3)';
  test.each([
    [
      'rejects a program in a callback',
      late,
      'const f = (x, done) => setTimeout(() => done(2), 5)',
      false,
    ],
    [
      'accepts a program in a callback',
      late,
      'const f = (x, done) => setTimeout(() => done(3), 5)',
      true,
    ],
    [
      'rejects a program in a promise that it does not await',
      'f().then((v) => console.assert(v === 3))',
      'const f = async () => { await new Promise((r) => setTimeout(r, 9)); return 2 }',
      false,
    ],
    [
      'rejects a program in its exit handler',
      'let n = 0; f(() => n++); process.on("exit", () => console.assert(n === 1))',
      'const f = (done) => { setTimeout(done); setTimeout(done, 2) }',
      false,
    ],
    [
      'can wait in an interval for a result',
      'let v; f((x) => { v = x }); const t = setInterval(() => { if (v === undefined) return; clearInterval(t); console.assert(v === 3) }, 50)',
      'const f = (done) => setTimeout(done, 7000, 2)',
      false,
    ],
    [
      'cannot be prevented by an exit from running its callbacks',
      'let v; f((x) => { v = x }); setTimeout(() => console.assert(v === 3), 50)',
      'const f = () => setTimeout(() => process.exit(0))',
      false,
    ],
    [
      'has timers that a program cannot clear by their numbers',
      'let v; f((x) => { v = x }); setTimeout(() => console.assert(v === 3), 50)',
      'const f = () => setTimeout(() => { for (let id = 0; id < 99; id++) { clearTimeout(id); clearTimeout({ id }); const { constructor } = setTimeout(() => {}); clearTimeout(new constructor({ id, slot: 0, isHeld: true })) } })',
      false,
    ],
    [
      'runs its callbacks although intervals move the clock',
      'let v; f((x) => { v = x }); setInterval(() => console.assert(v === 3), 50)',
      'const f = () => setInterval(() => { for (let i = 0; i < 1e5; i++) Date.now() })',
      false,
    ],
    [
      'can report a failure by process.exit in a callback',
      'f(1, (v) => process.exit(v === 3 ? 0 : 1))',
      'const f = (x, done) => setTimeout(() => done(2), 5)',
      false,
    ],
    ['may end while an interval runs', plain, 'setInterval(() => {}, 9); const f = () => 3', true],
    [
      'rejects a program that catches its own exit',
      plain,
      'const f = () => { try { process.exit(0) } catch {} return 3 }',
      false,
    ],
    [
      'can compare two reads of the clock',
      'console.assert(+f() === Date.now())',
      'const f = () => new Date()',
      true,
    ],
  ])('a test program %s', async (_name, code, answer, passes) => {
    expect(await judge({ type: 'assert', code }, answer)).toBe(
      passes ? 'accepted' : 'runtime_error',
    );
  });
});

test('Intl formats the virtual time if it gets no date', async () => {
  const source = `const d = new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: 'UTC' });
    const text = (parts) => parts.map((p) => p.value).join('');
    console.log(d.format(), text(d.formatToParts()), [0].map(d.format)[0], text(d.formatToParts(0)))`;
  expect(await run(source)).toEqual([0, '11/14/23 11/14/23 1/1/70 1/1/70\n']);
});
