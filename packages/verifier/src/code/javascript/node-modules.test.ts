/** Compares expressions that use modules of Node between the sandbox and Node. */
import { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { createCodeVerifier, parseCodeTask } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1 });
afterAll(() => verifier.close());

/** The values of expressions in Node and in the sandbox. */
const both = async (expressions: readonly string[]) => {
  const source = `(require, Buffer, URL, URLSearchParams) => [${expressions.map((e) => `() => ${e}`).join()}].map((run) => {
    try { return JSON.stringify(run()) ?? 'undefined'; } catch (error) { return error.name; }
  })`;
  const ran = await verifier.run({
    language: 'javascript',
    source: `console.log(JSON.stringify((${source})(require, Buffer, URL, URLSearchParams)))`,
  });
  if (ran.kind !== 'ran' || ran.stderr) throw new Error(JSON.stringify(ran));
  const inNode: string[] = runInThisContext(source)(
    createRequire(import.meta.url),
    Buffer,
    URL,
    URLSearchParams,
  );
  const name = (texts: string[]) => texts.map((text, i) => `${expressions[i]} → ${text}`);
  return { here: name(JSON.parse(ran.stdout)), inNode: name(inNode) };
};

test('path behaves as in Node', async () => {
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

test('a Buffer behaves as in Node', async () => {
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

test('events, util and structuredClone behave as in Node', async () => {
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
    'promisify uses the custom function of a function',
    "const f = () => 0; f[require('util').promisify.custom] = () => Promise.resolve(2); require('util').promisify(f)().then(console.log)",
    '2',
  ],
  [
    'promisify(setTimeout) waits',
    "require('util').promisify(setTimeout)(5, 'x').then(console.log); console.log(1)",
    '1\nx',
  ],
  [
    'promisify(rl.question) resolves with the answer',
    "const rl = require('readline').createInterface({ input: process.stdin }); require('util').promisify(rl.question).bind(rl)('').then((l) => { console.log(l); rl.close() })",
    'line',
  ],
  [
    'callbackify calls its callback',
    "require('util').callbackify(async (x) => x + 1)(1, (error, value) => console.log(error, value))",
    'null 2',
  ],
  [
    'once resolves with what was emitted, or rejects with the error',
    "const { once, EventEmitter } = require('events'); const e = new EventEmitter(); once(e, 'a').then((v) => { console.log(v.join()); once(e, 'b').catch((x) => console.log(x, e.eventNames().length)); e.emit('error', 'no') }); e.emit('a', 1, 2)",
    '1,2\nno 0',
  ],
])('%s', async (_name, source, stdout) => {
  const ran = await verifier.run({ language: 'javascript', source, stdin: 'line\n' });
  expect(ran).toMatchObject({ exitCode: 0, stdout: `${stdout}\n`, stderr: '' });
});

test('a StringDecoder behaves as in Node', async () => {
  const pieces = (encoding: string, size: number) =>
    `(() => { const d = new (require('string_decoder').StringDecoder)('${encoding}');
      const b = Buffer.from('aé€😀\\n', 'utf8'); const r = [];
      for (let i = 0; i < b.length; i += ${size}) r.push(d.write(b.subarray(i, i + ${size})));
      return [...r, d.write(Buffer.from([0xe2, 0x82])), d.end(), d.end(Buffer.from('x'))]; })()`;
  const encodings = ['utf8', 'hex', 'latin1', 'base64'];
  const { here, inNode } = await both([
    ...encodings.flatMap((encoding) => [1, 2, 3, 4].map((size) => pieces(encoding, size))),
  ]);
  expect(here).toEqual(inNode);
});

test('URL and URLSearchParams behave as in Node', async () => {
  const urls = [
    'http://example.com',
    'HTTPS://User:p%40ss@Example.COM:8443/a/./b/../c%20d/?q=1&r=a b#frag ment',
    'https://example.com:443',
    'https://example.com?x=1',
    'https://example.com/a//b/..',
    'http:example.com/x',
    'http://[::1]:80/x',
    'https://example.com/ü?ä=ö#ß',
    `https://example.com/?it's=<b>&"c"`,
    'https://example.com/?#',
    'file:///a/b.txt',
    'file:/a/../b',
    'file:a',
    'file://h/a b',
    'a1+.-:x y',
    'http://a/%2e%2E/b/%2e',
    'http:\\\\a\\b',
    'http://u@h/',
    'http://:p@h/',
    "https://h/^`{}|[]'%zz",
    'mailto:me@example.com?subject=x',
    'ftp://h/x;y=1',
    'custom://host/a/../b',
    'custom:opaque',
    'not a url',
    '',
    '/relative',
    'http://',
    'http://a b/',
    'http://a:99999/',
    'http://a:x/',
    '  https://example.com/x  ',
    'data:text/plain,hi',
  ];
  const fields =
    '[u.href, u.origin, u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash]';
  const of = (...made: string[]) =>
    `(() => { const u = new URL(${made.join()}); return ${fields}; })()`;
  const relative = [
    'x',
    './x',
    '../x',
    '/x',
    '?q=2',
    '#h',
    '',
    '//other/y',
    'http://z/',
    'x/../../..',
    '/a?b#c',
    'https:y',
  ];
  const params = [
    '',
    'a=1&b=2&a=3',
    '?x=%20+y&z',
    'a=%C3%A4&b=%zz',
    '=v&&k=',
    'a=b=c',
    'e=*-._~!()',
  ];
  const { here, inNode } = await both([
    ...urls.map((url) => of(JSON.stringify(url))),
    ...relative.map((url) => of(`'${url}'`, "'https://u:p@h.com:81/d/e/f?o=1#p'")),
    ...['x', '?q', '#h'].map((url) => of(`'${url}'`, "'mailto:me'")),
    ...params.map(
      (p) =>
        `(() => { const s = new URLSearchParams('${p}'); return [s.toString(), [...s], s.size, s.get('a'), s.getAll('a'), s.has('k')]; })()`,
    ),
    "new URLSearchParams({ a: 1, b: 'x y' }).toString()",
    "new URLSearchParams([['a', 'ä&='], ['b', '😀']]).toString()",
    "new URLSearchParams(new URLSearchParams('a=1')).toString()",
    "(() => { const s = new URLSearchParams('b=1&a=2&b=3'); s.append('c', 4); s.set('b', 5); s.delete('a'); s.set('d', 6); s.sort(); const r = []; s.forEach((v, k) => r.push(k + v)); return [r, [...s.keys()], [...s.values()]]; })()",
    "(() => { const u = new URL('https://e.com/?a=1'); u.searchParams.set('b', 'x y'); u.hash = 'z'; u.pathname = '/p q/../r'; u.port = '81'; u.hostname = 'f.com'; return [u.href, JSON.stringify(u), String(u)]; })()",
    "(() => { const u = new URL('https://e.com/?a=1'); u.search = 'q=2'; return [u.href, u.searchParams.get('q')]; })()",
    "[URL.canParse('x'), URL.canParse('x', 'http://a'), URL.parse('y:') !== null, URL.parse('y')]",
    "require('url').URL === URL",
  ]);
  expect(here).toEqual(inNode);
});

test.each([
  ["require('util').types.isMap = () => true", "require('util').types.isMap(f())"],
  ["require('path').join = () => 'right'", "require('path').join(f()) === 'right'"],
  ["URL = class { href = 'right' }", "new URL('x:y').href === 'right'"],
  [
    "Object.defineProperty(URL.prototype, 'href', { get: () => 'right' })",
    "new URL('x:y').href === 'right'",
  ],
  ["Buffer.prototype.readUInt8 = () => 'right'", "Buffer.from('a').readUInt8() === 'right'"],
])('%s does not reach the tests', async (patch, check) => {
  const code = `if (!(${check})) throw new Error('wrong')`;
  const task = parseCodeTask({ language: 'js', tests: { type: 'assert', code } });
  const verdict = await verifier.verify(task, `try { ${patch} } catch {} const f = () => 'wrong';`);
  expect(verdict).toMatchObject({ kind: 'judged', passed: false });
});
