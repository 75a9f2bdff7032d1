/** Programs in JavaScript do what they do under Node 24: order of events, exits, input, time. */
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
    'ticks come before promise jobs, those before timers, those before immediates',
    'setTimeout(say("timer"), 0); setImmediate(say("immediate")); queueMicrotask(say("job")); process.nextTick(() => { say("tick")(); process.nextTick(say("tick in tick")) }); say("main")()',
    'main tick tick-in-tick job timer immediate',
  ],
  [
    'a tick from a promise job waits for the other jobs',
    'Promise.resolve().then(() => { say(1)(); process.nextTick(say(4)) }).then(say(2)).then(say(3))',
    '1 2 3 4',
  ],
  [
    'delays that are no whole number from 1 to 2^31 - 1 become one',
    '[1, 0, 1.9, 2 ** 31, -5, NaN, "x"].forEach((ms, i) => setTimeout(say(i), ms))',
    '0 1 2 3 4 5 6',
  ],
  [
    'from a timer an immediate comes before the next timer',
    'setTimeout(() => { setTimeout(say("timer"), 0); setImmediate(say("immediate")); process.nextTick(say("tick")) }, 5)',
    'tick immediate timer',
  ],
  [
    'timers run by their time, equal ones by their age',
    '[5, 3, 9, 3, 1, 5, 9, 1].forEach((ms, i) => setTimeout(say(i), ms))',
    '4 7 1 3 0 5 2 6',
  ],
  [
    'a timer set in an interval goes before its next turn',
    'let n = 0; const t = setInterval(function () { say(n)(); setTimeout(say("x"), 3); if (++n === 3) clearInterval(this) }, 3)',
    '0 x 1 x 2 x',
  ],
  [
    'cleared timers do not run, wherever they stand',
    'const t = [7, 2, 9, 4, 4, 1].map((ms, i) => setTimeout(say(i), ms)); clearTimeout(t[1]); clearTimeout(+t[4]); clearTimeout(String(t[5])); clearTimeout(); clearTimeout({}); const i = setImmediate(say("no")); clearImmediate(i)',
    '3 0 2',
  ],
  [
    'what is not held keeps nothing alive',
    'setInterval(say("never"), 99).unref(); setTimeout(say("end"), 9)',
    'end',
  ],
  [
    'immediates let time pass',
    'let over = false; setTimeout(() => { over = true }, 20); (function spin() { if (over) say("over")(); else setImmediate(spin) })()',
    'over',
  ],
  [
    'no timer comes early, whatever clock is asked',
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
  ])('ends it all: %s', async (source, code, stdout) => {
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
      'a part of a buffer, by name',
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
      'lines past a close, as Node has them from one chunk',
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
      'a question that is written only where there is an output',
      `${LINES} rl.question("no", () => require("readline").createInterface(process.stdin, process.stdout).question("yes", console.log))`,
      'a\nb\n',
      'yesb\n',
    ],
  ])('%s', async (_name, source, stdin, stdout) => {
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
    'a program that waits for the time to pass',
    'for (const now of [Date.now, () => +new Date(), () => performance.now(), () => Number(process.hrtime.bigint()) / 1e6]) { const from = now(); while (now() - from < 20); } console.log("done")',
    '',
    'done',
  ],
  ['a line for the shell', '#!/usr/bin/env node\nconsole.log(1)', '', '1'],
  ['one before a module', '#!/usr/bin/env node\nimport "fs"; console.log(1)', '', '1'],
])('%s: accepted', async (_name, answer, input, output) => {
  expect(await judge({ type: 'stdio', cases: [{ input, output }] }, answer)).toBe('accepted');
});

test('places stay where they are under a line for the shell', async () => {
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
  ])('%s', async (answer) => {
    expect(await judge(tests('A.f'), answer)).toBe('accepted');
  });
  test('in TypeScript, and of Solution', async () => {
    const answer = (name: string) => `class ${name} { f(x: number): number { return x } }`;
    expect(await judge(tests('A.f'), answer('A'), 'typescript')).toBe('accepted');
    expect(await judge(tests('Solution.f'), answer('Solution'), 'typescript')).toBe('accepted');
  });
  test.each(['class A {}', 'function f(x) { return x }', 'const A = () => 0', 'const A = 5'])(
    'missing in %s',
    async (answer) => expect(await judge(tests('A.f'), answer)).toBe('missing_entry'),
  );
});

describe('a test program', () => {
  const late = 'const assert = require("assert"); f(1, (v) => assert.strictEqual(v, 3))';
  const plain = 'console.assert(f(1) === 3)';
  test.each([
    ['fails in a callback', late, 'const f = (x, done) => setTimeout(() => done(2), 5)', false],
    ['passes in a callback', late, 'const f = (x, done) => setTimeout(() => done(3), 5)', true],
    [
      'fails in a promise that it does not wait for',
      'f().then((v) => console.assert(v === 3))',
      'const f = async () => { await new Promise((r) => setTimeout(r, 9)); return 2 }',
      false,
    ],
    [
      'fails at the exit',
      'let n = 0; f(() => n++); process.on("exit", () => console.assert(n === 1))',
      'const f = (done) => { setTimeout(done); setTimeout(done, 2) }',
      false,
    ],
    [
      'waits in an interval for what comes',
      'let v; f((x) => { v = x }); const t = setInterval(() => { if (v === undefined) return; clearInterval(t); console.assert(v === 3) }, 50)',
      'const f = (done) => setTimeout(done, 7000, 2)',
      false,
    ],
    [
      'has callbacks of its own, which an exit may not take',
      'let v; f((x) => { v = x }); setTimeout(() => console.assert(v === 3), 50)',
      'const f = () => setTimeout(() => process.exit(0))',
      false,
    ],
    [
      'has timers of its own, whose numbers an answer does not have',
      'let v; f((x) => { v = x }); setTimeout(() => console.assert(v === 3), 50)',
      'const f = () => setTimeout(() => { for (let id = 0; id < 99; id++) { clearTimeout(id); clearTimeout({ id }); const { constructor } = setTimeout(() => {}); clearTimeout(new constructor({ id, slot: 0, isHeld: true })) } })',
      false,
    ],
    [
      'has callbacks of its own, which intervals and a clock that is pushed on may not take',
      'let v; f((x) => { v = x }); setInterval(() => console.assert(v === 3), 50)',
      'const f = () => setInterval(() => { for (let i = 0; i < 1e5; i++) Date.now() })',
      false,
    ],
    [
      'ends itself in a callback, having failed',
      'f(1, (v) => process.exit(v === 3 ? 0 : 1))',
      'const f = (x, done) => setTimeout(() => done(2), 5)',
      false,
    ],
    ['has an interval left', plain, 'setInterval(() => {}, 9); const f = () => 3', true],
    [
      'sees an exit that was caught',
      plain,
      'const f = () => { try { process.exit(0) } catch {} return 3 }',
      false,
    ],
    [
      'compares two looks at the clock',
      'console.assert(+f() === Date.now())',
      'const f = () => new Date()',
      true,
    ],
  ])('%s', async (_name, code, answer, passes) => {
    expect(await judge({ type: 'assert', code }, answer)).toBe(
      passes ? 'accepted' : 'runtime_error',
    );
  });
});

test('Intl formats the virtual now where it is given no date', async () => {
  const source = `const d = new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: 'UTC' });
    const text = (parts) => parts.map((p) => p.value).join('');
    console.log(d.format(), text(d.formatToParts()), [0].map(d.format)[0], text(d.formatToParts(0)))`;
  expect(await run(source)).toEqual([0, '11/14/23 11/14/23 1/1/70 1/1/70\n']);
});
