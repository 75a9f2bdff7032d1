/** Node's own modules in the sandbox: each expression means there what it means in Node. */
import { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { createCodeVerifier } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1 });
afterAll(() => verifier.close());

/** What Node makes of an expression, and what the sandbox does. */
const both = async (expressions: readonly string[]) => {
  const source = `(require, Buffer) => [${expressions.map((e) => `() => ${e}`).join()}].map((run) => {
    try { return JSON.stringify(run()) ?? 'undefined'; } catch (error) { return error.name; }
  })`;
  const ran = await verifier.run({
    language: 'javascript',
    source: `console.log(JSON.stringify((${source})(require, Buffer)))`,
  });
  if (ran.kind !== 'ran' || ran.stderr) throw new Error(JSON.stringify(ran));
  const inNode: string[] = runInThisContext(source)(createRequire(import.meta.url), Buffer);
  const name = (texts: string[]) => texts.map((text, i) => `${expressions[i]} → ${text}`);
  return { here: name(JSON.parse(ran.stdout)), inNode: name(inNode) };
};

test('path does what it does in Node', async () => {
  const names = ['', '.', '..', '...', '/', '//', 'a', '/a', 'a/', './a', '../a', 'a/..', 'a/../'];
  names.push(
    '/a/b/c.txt',
    'a//b',
    '//a/b',
    '/../x',
    'a/./b/../../c',
    '.bashrc',
    'a.b.c',
    'a.',
    'x/..a',
  );
  const one = ['normalize', 'dirname', 'basename', 'extname', 'isAbsolute', 'resolve', 'join'];
  const two = ['join', 'resolve', 'basename'];
  const p = "require('path').posix";
  const { here, inNode } = await both([
    ...one.flatMap((f) =>
      names.map((name) => `${p}.${f}(${JSON.stringify(f === 'resolve' ? `/w/${name}` : name)})`),
    ),
    ...two.flatMap((f) =>
      names.flatMap((a) => ['/b', '../c', '', '.c'].map((b) => `${p}.${f}('/r/${a}', '${b}')`)),
    ),
    ...names.map((name) => `${p}.relative('/a/x', '/${name}')`),
    ...names.filter((name) => !name.startsWith('//')).map((name) => `${p}.parse('${name}')`),
    ...names.map((name) => `${p}.format(${p}.parse('${name}'))`),
    `${p}.format({ name: 'a', ext: 'js' })`,
    `${p}.format({ root: '/', base: 'a' })`,
    `${p}.join('/a', '..', 'b')`,
    `${p}.resolve('/a', '/b', 'c')`,
    `${p}.sep + ${p}.delimiter`,
    `${p}.join(1)`,
    `${p}.dirname()`,
  ]);
  expect(here).toEqual(inNode);
});

const bytes = (...steps: string[]) =>
  `(() => { const b = Buffer.alloc(16); const r = [${steps.join()}]; return [...r, b.toString('hex')]; })()`;

test('a Buffer does what it does in Node', async () => {
  const kinds = [];
  for (const [bits, ends] of [
    [8, ['']],
    [16, ['LE', 'BE']],
    [32, ['LE', 'BE']],
  ] as const) {
    for (const end of ends)
      kinds.push(`UInt${bits}${end}`, `Int${bits}${end}`, `Uint${bits}${end}`);
  }
  const values = [0, 1, 100, -1, 1.7, -1.7, 127, 128, 255, 256, 65535, 2 ** 31, 2 ** 32];
  const { here, inNode } = await both([
    ...kinds.flatMap((kind) =>
      values.map((v) => bytes(`b.write${kind}(${v}, 3)`, `b.read${kind}(3)`, `b.read${kind}()`)),
    ),
    ...['FloatLE', 'FloatBE', 'DoubleLE', 'DoubleBE'].map((kind) =>
      bytes(`b.write${kind}(3.14, 5)`, `b.read${kind}(5)`),
    ),
    bytes(
      'b.writeBigInt64LE(-5n, 2)',
      'String(b.readBigInt64LE(2))',
      'String(b.readBigUInt64BE(1))',
    ),
    bytes('b.writeInt32LE(1, 13)'),
    bytes('b.readUInt8(16)'),
    bytes('b.writeUInt16LE("x")'),
    "Buffer.alloc(3, 'a').toString()",
    "Buffer.alloc(5, 'ab').toString()",
    "Buffer.alloc(4, 'ff00', 'hex')",
    "Buffer.alloc(2, '')",
    'Buffer.alloc(2, 300)',
    "Buffer.alloc(6).fill('xy', 1, 4)",
    "Buffer.from('aé€😀').toString('base64')",
    "Buffer.from('aé€😀').toString('base64url')",
    "Buffer.from('é', 'latin1')",
    "Buffer.from('aé', 'UTF16LE')",
    "Buffer.from('aé', 'ucs2').toString('utf16le')",
    "Buffer.from('é').toString('ascii')",
    "Buffer.from('0aFfzz11', 'hex')",
    "Buffer.from('a', 'nope')",
    "Buffer.from(JSON.parse(JSON.stringify(Buffer.from('ab'))))",
    'Buffer.from(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)',
    "Buffer.concat([Buffer.from('a'), Buffer.from('bc')], 2)",
    "Buffer.concat([Buffer.from('a')], 3)",
    "[Buffer.compare(Buffer.from('a'), Buffer.from('b')), Buffer.from('ab').compare(Buffer.from('a'))]",
    "[Buffer.isEncoding('UTF8'), Buffer.isEncoding('x'), Buffer.isBuffer(Buffer.from('').slice())]",
    bytes(
      "b.write('hello', 13)",
      "b.write('é', 1)",
      "b.write('ff', 'hex')",
      "b.write('abc', 5, 2)",
    ),
    bytes("Buffer.from('abc').copy(b, 14)", "Buffer.from('abc').copy(b, 1, 1, 2)"),
    bytes('(b.slice(1, 3)[0] = 7)', '(b.subarray(4)[1] = 9)'),
    "[1, 'l', 'lo', 'x', '', Buffer.from('ll')].map((x) => Buffer.from('hello').indexOf(x))",
    "[Buffer.from('hello').includes('ell'), Buffer.from('hello').indexOf('l', -2)]",
    "Buffer.from('abc').equals(new Uint8Array([97, 98, 99]))",
    "[...Buffer.from('ab').map((x) => x + 1)]",
  ]);
  expect(here).toEqual(inNode);
});

test('events, util and structuredClone do what they do in Node', async () => {
  const kinds = [
    'Date',
    'Map',
    'Set',
    'RegExp',
    'Promise',
    'NativeError',
    'TypedArray',
    'Uint8Array',
  ];
  kinds.push('ArrayBuffer', 'GeneratorFunction', 'AsyncFunction', 'BoxedPrimitive', 'DataView');
  const { here, inNode } = await both([
    ...kinds.map(
      (
        kind,
      ) => `[new Date(), new Map(), new Set(), /a/, Promise.resolve(), new TypeError(), new Uint8Array(1),
        new Float64Array(1), new ArrayBuffer(1), function* () {}, async () => 1, new Number(1), 1, null, undefined,
        new DataView(new ArrayBuffer(1)), { [Symbol.toStringTag]: 'x' }].map(require('util').types.is${kind})`,
    ),
    `(() => { const E = require('events'); const e = new E(); const seen = [];
      e.on('a', (x) => seen.push(1, x)).prependListener('a', () => seen.push(0)).prependOnceListener('a', () => seen.push(-1));
      const f = () => 1; e.once('b', f);
      return [e.emit('a', 7), e.emit('a', 8), seen, e.eventNames(), e.listeners('b')[0] === f, e.emit('b'), e.eventNames()]; })()`,
    `(() => { function A() {} function B() {} require('util').inherits(B, A); return [new B() instanceof A, B.super_ === A]; })()`,
    ...['TypeError', 'RangeError', 'Error', 'URIError'].map(
      (name) => `(() => { const c = structuredClone(new ${name}('m', { cause: [1] }));
        return [c instanceof ${name}, c.name, c.message, c.cause, Object.keys(c), typeof c.stack]; })()`,
    ),
    "(() => { class Odd extends TypeError {} const c = structuredClone(new Odd('m')); return [c instanceof TypeError, c instanceof Odd, c.name]; })()",
    '(() => { try { structuredClone(() => 1); } catch (error) { return [error.name, error.message]; } })()',
    "(() => { const a = Buffer.from('ab'); const b = structuredClone(a); a[0] = 1; return [b, b instanceof Buffer]; })()",
    '[...new Uint8Array(structuredClone(new Uint8Array([1, 2]).buffer))]',
    'structuredClone(new DataView(new ArrayBuffer(2), 1)).byteLength',
    '[...structuredClone(new Float32Array([1, 2]).subarray(1))]',
  ]);
  expect(here).toEqual(inNode);
});

test.each([
  [
    'promisify keeps this',
    "class A { n = 1; f(x, done) { done(null, this.n + x) } } const a = new A(); require('util').promisify(a.f).call(a, 1).then(console.log)",
    '2',
  ],
  [
    'promisify takes what a function has for it',
    "const f = () => 0; f[require('util').promisify.custom] = () => Promise.resolve(2); require('util').promisify(f)().then(console.log)",
    '2',
  ],
  [
    'promisify(setTimeout) waits',
    "require('util').promisify(setTimeout)(5, 'x').then(console.log); console.log(1)",
    '1\nx',
  ],
  [
    'promisify(rl.question) asks',
    "const rl = require('readline').createInterface({ input: process.stdin }); require('util').promisify(rl.question).bind(rl)('').then((l) => { console.log(l); rl.close() })",
    'line',
  ],
  [
    'callbackify calls back',
    "require('util').callbackify(async (x) => x + 1)(1, (error, value) => console.log(error, value))",
    'null 2',
  ],
  [
    'once brings what was emitted, or the error',
    "const { once, EventEmitter } = require('events'); const e = new EventEmitter(); once(e, 'a').then((v) => { console.log(v.join()); once(e, 'b').catch((x) => console.log(x, e.eventNames().length)); e.emit('error', 'no') }); e.emit('a', 1, 2)",
    '1,2\nno 0',
  ],
])('%s', async (_name, source, stdout) => {
  const ran = await verifier.run({ language: 'javascript', source, stdin: 'line\n' });
  expect(ran).toMatchObject({ exitCode: 0, stdout: `${stdout}\n`, stderr: '' });
});
