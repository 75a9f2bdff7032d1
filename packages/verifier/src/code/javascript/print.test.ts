/** Programs with what Node 24 prints for them. */
import { afterAll, expect, test } from 'vitest';
import { createCodeVerifier } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1 });
afterAll(() => verifier.close());

const SHOWN: readonly (readonly [source: string, stdout: string])[] = [
  [
    'class A {}; console.log(A, [A])',
    `[class A] [ [class A] ]
`,
  ],
  [
    'class A {}; class B extends A {}; console.log(B)',
    `[class B extends A]
`,
  ],
  [
    'console.log(class {}, [class extends Array {}])',
    `[class (anonymous)] [ [class (anonymous) extends Array] ]
`,
  ],
  [
    "console.log([1, , , 4], [, 'a'], new Array(3))",
    `[ 1, <2 empty items>, 4 ] [ <1 empty item>, 'a' ] [ <3 empty items> ]
`,
  ],
  [
    'console.log({ get a() { return 1 }, set b(x) {}, get c() { return 1 }, set c(x) {} })',
    `{ a: [Getter], b: [Setter], c: [Getter/Setter] }
`,
  ],
  [
    "console.log({ [Symbol('s')]: 1, [Symbol.iterator]: 2 })",
    `{ Symbol(s): 1, Symbol(Symbol.iterator): 2 }
`,
  ],
  [
    "console.log(new Number(3), new String('x'), new Boolean(false), new Number(-0))",
    `[Number: 3] [String: 'x'] [Boolean: false] [Number: -0]
`,
  ],
  [
    'console.log(Promise.race([]))',
    `Promise { <pending> }
`,
  ],
  [
    "console.log(Buffer.from('ab'), [Buffer.from('')], Buffer.alloc(60))",
    `<Buffer 61 62> [ <Buffer > ] <Buffer 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ... 10 more bytes>
`,
  ],
  [
    'function* g() { yield 1 }; console.log(g(), g, async () => {}, async function f() {}, async function* h() {})',
    `Object [Generator] {} [GeneratorFunction: g] [AsyncFunction (anonymous)] [AsyncFunction: f] [AsyncGeneratorFunction: h]
`,
  ],
  [
    "(function () { console.log(arguments) })(1, 'b')",
    `[Arguments] { '0': 1, '1': 'b' }
`,
  ],
  [
    '(function () { console.log(arguments) })()',
    `[Arguments] {}
`,
  ],
  [
    'const a = { x: 1 }; a.self = a; console.log(a); const b = [a]; b.push(b); console.log(b)',
    `<ref *1> { x: 1, self: [Circular *1] }
<ref *2> [ <ref *1> { x: 1, self: [Circular *1] }, [Circular *2] ]
`,
  ],
  [
    'class N { constructor() { this.me = this } }; console.log(new N(), { n: new N() })',
    `<ref *1> N { me: [Circular *1] } { n: <ref *1> N { me: [Circular *1] } }
`,
  ],
  [
    "console.log(['a\\tb', 'c\\nd', 'e\\x00\\x1b\\x7f', 'f\\\\g', \"it's\", \"\\\"it's\\\"\", \"\\\"it's\\`\", '\\ud800', 'é中'])",
    `[
  'a\\tb',
  'c\\nd',
  'e\\x00\\x1B\\x7F',
  'f\\\\g',
  "it's",
  \`"it's"\`,
  '"it\\'s\`',
  '\\ud800',
  'é中'
]
`,
  ],
  [
    "const a = [1, 2]; a.x = 'y'; a[-1] = 0; console.log(a)",
    `[ 1, 2, x: 'y', '-1': 0 ]
`,
  ],
  [
    'function f() {}; f.a = 1; f.b = { c: [] }; console.log(f, [f])',
    `[Function: f] { a: 1, b: { c: [] } } [ [Function: f] { a: 1, b: { c: [] } } ]
`,
  ],
  [
    'console.log({ a: { b: { c: { d: 1 } } } }, [[[[1]]]], { a: { b: { c: {} } } }, { a: { b: { c: [] } } })',
    `{ a: { b: { c: [Object] } } } [ [ [ [Array] ] ] ] { a: { b: { c: {} } } } { a: { b: { c: [] } } }
`,
  ],
  [
    "console.log(require('util').inspect({ a: { b: { c: { d: { e: 1 } } } } }, { depth: null }))",
    `{
  a: {
    b: { c: { d: { e: 1 } } }
  }
}
`,
  ],
  [
    "console.log(require('util').inspect({ a: { b: { c: { d: { e: 1 } } } } }, { depth: 0 }))",
    `{ a: [Object] }
`,
  ],
  [
    'console.dir({ a: { b: { c: { d: { e: [[1]] } } } } }, { depth: null })',
    `{
  a: {
    b: {
      c: {
        d: { e: [ [ 1 ] ] }
      }
    }
  }
}
`,
  ],
  [
    "console.dir('a'); console.dir(5)",
    `'a'
5
`,
  ],
  [
    "const util = require('util'); class P { [util.inspect.custom](depth) { return 'P' + depth } }; console.log(new P(), [new P()])",
    `P2 [ P1 ]
`,
  ],
  [
    "console.log({ [require('util').inspect.custom]: () => ({ a: 1 }) })",
    `{ a: 1 }
`,
  ],
  [
    'console.log(Array.from({ length: 7 }, (_, i) => i))',
    `[
  0, 1, 2, 3,
  4, 5, 6
]
`,
  ],
  [
    'console.log(Array.from({ length: 30 }, (_, i) => i * i))',
    `[
    0,   1,   4,   9,  16,  25,  36,  49,
   64,  81, 100, 121, 144, 169, 196, 225,
  256, 289, 324, 361, 400, 441, 484, 529,
  576, 625, 676, 729, 784, 841
]
`,
  ],
  [
    "console.log(Array.from({ length: 150 }, (_, i) => 'w' + i))",
    `[
  'w0',  'w1',  'w2',  'w3',  'w4',  'w5',  'w6',  'w7',
  'w8',  'w9',  'w10', 'w11', 'w12', 'w13', 'w14', 'w15',
  'w16', 'w17', 'w18', 'w19', 'w20', 'w21', 'w22', 'w23',
  'w24', 'w25', 'w26', 'w27', 'w28', 'w29', 'w30', 'w31',
  'w32', 'w33', 'w34', 'w35', 'w36', 'w37', 'w38', 'w39',
  'w40', 'w41', 'w42', 'w43', 'w44', 'w45', 'w46', 'w47',
  'w48', 'w49', 'w50', 'w51', 'w52', 'w53', 'w54', 'w55',
  'w56', 'w57', 'w58', 'w59', 'w60', 'w61', 'w62', 'w63',
  'w64', 'w65', 'w66', 'w67', 'w68', 'w69', 'w70', 'w71',
  'w72', 'w73', 'w74', 'w75', 'w76', 'w77', 'w78', 'w79',
  'w80', 'w81', 'w82', 'w83', 'w84', 'w85', 'w86', 'w87',
  'w88', 'w89', 'w90', 'w91', 'w92', 'w93', 'w94', 'w95',
  'w96', 'w97', 'w98', 'w99',
  ... 50 more items
]
`,
  ],
  [
    "console.log(Array.from({ length: 12 }, (_, i) => 'x'.repeat(i)))",
    `[
  '',           'x',
  'xx',         'xxx',
  'xxxx',       'xxxxx',
  'xxxxxx',     'xxxxxxx',
  'xxxxxxxx',   'xxxxxxxxx',
  'xxxxxxxxxx', 'xxxxxxxxxxx'
]
`,
  ],
  [
    "console.log(Array.from({ length: 8 }, (_, i) => ({ id: i, name: 'item' + i })))",
    `[
  { id: 0, name: 'item0' },
  { id: 1, name: 'item1' },
  { id: 2, name: 'item2' },
  { id: 3, name: 'item3' },
  { id: 4, name: 'item4' },
  { id: 5, name: 'item5' },
  { id: 6, name: 'item6' },
  { id: 7, name: 'item7' }
]
`,
  ],
  [
    'console.log(Array.from({ length: 8 }, (_, i) => [i, i * i]))',
    `[
  [ 0, 0 ],  [ 1, 1 ],
  [ 2, 4 ],  [ 3, 9 ],
  [ 4, 16 ], [ 5, 25 ],
  [ 6, 36 ], [ 7, 49 ]
]
`,
  ],
  [
    'console.log(Array.from({ length: 9 }, (_, i) => Array.from({ length: 9 }, (_, k) => i * k)))',
    `[
  [
    0, 0, 0, 0, 0,
    0, 0, 0, 0
  ],
  [
    0, 1, 2, 3, 4,
    5, 6, 7, 8
  ],
  [
     0,  2,  4,  6, 8,
    10, 12, 14, 16
  ],
  [
     0,  3,  6,  9, 12,
    15, 18, 21, 24
  ],
  [
     0,  4,  8, 12, 16,
    20, 24, 28, 32
  ],
  [
     0,  5, 10, 15, 20,
    25, 30, 35, 40
  ],
  [
     0,  6, 12, 18, 24,
    30, 36, 42, 48
  ],
  [
     0,  7, 14, 21, 28,
    35, 42, 49, 56
  ],
  [
     0,  8, 16, 24, 32,
    40, 48, 56, 64
  ]
]
`,
  ],
  [
    "console.log({ name: 'a long enough name', city: 'another long text', numbers: [1, 2, 3], last: true })",
    `{
  name: 'a long enough name',
  city: 'another long text',
  numbers: [ 1, 2, 3 ],
  last: true
}
`,
  ],
  [
    "console.log({ name: 'a long enough name', city: 'another long text', numbers: [1, 2, 3] , l: 1})",
    `{
  name: 'a long enough name',
  city: 'another long text',
  numbers: [ 1, 2, 3 ],
  l: 1
}
`,
  ],
  [
    "console.log({ a: 'x'.repeat(56), b: 1 }); console.log({ a: 'x'.repeat(57), b: 1 }); console.log({ a: 'x'.repeat(100) })",
    `{ a: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', b: 1 }
{
  a: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
  b: 1
}
{
  a: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
}
`,
  ],
  [
    "console.log(new Map([['a', { b: 1 }], [{ c: 2 }, [3]]]), new Set(['a', [1]]), new Map(), new Set())",
    `Map(2) { 'a' => { b: 1 }, { c: 2 } => [ 3 ] } Set(2) { 'a', [ 1 ] } Map(0) {} Set(0) {}
`,
  ],
  [
    "console.log(new Map(Array.from({ length: 20 }, (_, i) => ['key' + i, i])))",
    `Map(20) {
  'key0' => 0,
  'key1' => 1,
  'key2' => 2,
  'key3' => 3,
  'key4' => 4,
  'key5' => 5,
  'key6' => 6,
  'key7' => 7,
  'key8' => 8,
  'key9' => 9,
  'key10' => 10,
  'key11' => 11,
  'key12' => 12,
  'key13' => 13,
  'key14' => 14,
  'key15' => 15,
  'key16' => 16,
  'key17' => 17,
  'key18' => 18,
  'key19' => 19
}
`,
  ],
  [
    "console.log(new Map([['a', new Map([['b', new Map([['c', new Map([['d', 1]])]])]])]]))",
    `Map(1) { 'a' => Map(1) { 'b' => Map(1) { 'c' => [Map] } } }
`,
  ],
  [
    'class M extends Map {}; class L extends Array {}; class S extends Set {}; console.log(new M([[1, 2]]), new L(3), L.from([1]), new S())',
    `M(1) [Map] { 1 => 2 } L(3) [ <3 empty items> ] L(1) [ 1 ] S(0) [Set] {}
`,
  ],
  [
    "class T { get [Symbol.toStringTag]() { return 'Tag' } }; console.log(new T(), { [Symbol.toStringTag]: 'Own' })",
    `T [Tag] {} { Symbol(Symbol.toStringTag): 'Own' }
`,
  ],
  [
    'console.log(Object.create(null), Object.assign(Object.create(null), { a: 1 }), { a: Object.create(null) })',
    `[Object: null prototype] {} [Object: null prototype] { a: 1 } { a: [Object: null prototype] {} }
`,
  ],
  [
    'console.log(Object.create({ a: 1 }), Object.create(class Q {}.prototype))',
    `{} Q {}
`,
  ],
  [
    'console.log(new Uint8Array(3), new Float64Array([1.5, -0]), new BigInt64Array([1n]), new Uint8Array(0), new Uint8Array(20))',
    `Uint8Array(3) [ 0, 0, 0 ] Float64Array(2) [ 1.5, -0 ] BigInt64Array(1) [ 1n ] Uint8Array(0) [] Uint8Array(20) [
  0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0
]
`,
  ],
  [
    'console.log(new ArrayBuffer(2), new WeakMap(), new WeakSet())',
    `ArrayBuffer { [Uint8Contents]: <00 00>, [byteLength]: 2 } WeakMap { <items unknown> } WeakSet { <items unknown> }
`,
  ],
  [
    "console.log({ 'a-b': 1, $d: 2, 3: 4, _e: 5, 'é': 6, ['__proto__']: 7 })",
    `{ '3': 4, 'a-b': 1, '$d': 2, _e: 5, 'é': 6, ['__proto__']: 7 }
`,
  ],
  [
    "console.log([undefined, null, NaN, -0, 1n, Symbol('x'), true, /a\\/b/g, new Date(0), new Date(NaN)])",
    `[
  undefined,
  null,
  NaN,
  -0,
  1n,
  Symbol(x),
  true,
  /a\\/b/g,
  1970-01-01T00:00:00.000Z,
  Invalid Date
]
`,
  ],
  [
    'console.log(Math, JSON, globalThis === global, Symbol)',
    `Object [Math] {} Object [JSON] {} true [Function: Symbol]
`,
  ],
  [
    'console.log([[1, [2, [3, [4]]]], { a: [{ b: { c: 1 } }] }])',
    `[ [ 1, [ 2, [Array] ] ], { a: [ [Object] ] } ]
`,
  ],
  [
    'class Pt { constructor(x, y) { this.x = x; this.y = y } }; console.log(new Pt(1, 2), [new Pt(3, 4)], { p: new Pt(5, { q: new Pt(1) }) })',
    `Pt { x: 1, y: 2 } [ Pt { x: 3, y: 4 } ] { p: Pt { x: 5, y: { q: [Pt] } } }
`,
  ],
  [
    'class Node1 { constructor(v) { this.value = v; this.next = null } }; const n = new Node1(1); n.next = new Node1(2); n.next.next = new Node1(3); n.next.next.next = new Node1(4); console.log(n)',
    `Node1 {
  value: 1,
  next: Node1 { value: 2, next: Node1 { value: 3, next: [Node1] } }
}
`,
  ],
  [
    'class E { }; console.log(new E(), [new E()], { e: class {} })',
    `E {} [ E {} ] { e: [class e] }
`,
  ],
  [
    "console.group('g'); console.log({ a: 'x'.repeat(50), b: 'y'.repeat(30) }); console.log('a\\nb'); console.groupEnd(); console.log('c')",
    `g
  {
    a: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    b: 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'
  }
  a
  b
c
`,
  ],
  [
    "console.log('%s %d %i %f %j %o %O %%', 'a', 1.5, 1.5, '2.5', { a: 1 }, 5, { b: { c: {} } }, 'extra', [1])",
    `a 1.5 1 2.5 {"a":1} 5 { b: { c: {} } } % extra [ 1 ]
`,
  ],
  [
    "console.log('%s|%s|%s|%s', [1, [2, [3]]], { a: { b: 1 } }, null, undefined, -0)",
    `[ 1, [Array] ]|{ a: [Object] }|null|undefined -0
`,
  ],
  [
    'console.log(new Proxy({ a: 1 }, {}))',
    `{ a: 1 }
`,
  ],
  [
    "class V { toString() { return 'v' } }; console.log('%s %s %s %s', new V(), { toString: () => 'o' }, { a: 1 }, new Date(0)); console.log('%s', Object.create(null))",
    `v o { a: 1 } 1970-01-01T00:00:00.000Z
[Object: null prototype] {}
`,
  ],
  [
    "console.log('%d %d %i %s', '0x10', -0, '12px', 5n); console.log('100%', 5, '%s'); console.log('%s'); console.log('%x %s', 1)",
    `16 -0 12 5n
100% 5 %s
%s
%x 1
`,
  ],
  [
    'console.log({ f() {}, g: () => {}, h: function () {}, async i() {}, *j() {} })',
    `{
  f: [Function: f],
  g: [Function: g],
  h: [Function: h],
  i: [AsyncFunction: i],
  j: [GeneratorFunction: j]
}
`,
  ],
  [
    "console.log([1.5, 2.25, 3, 4, 5, 6, 7, 1000000], ['1', '22', '333', '4444', '55555', '666666', '7777777'])",
    `[ 1.5, 2.25, 3, 4, 5, 6, 7, 1000000 ] [
  '1',       '22',
  '333',     '4444',
  '55555',   '666666',
  '7777777'
]
`,
  ],
  [
    'console.log([1n, 2n, 3n, 4n, 5n, 6n, 7n, 100n], [true, false, true, true, false, true, true])',
    `[
  1n,   2n, 3n,
  4n,   5n, 6n,
  7n, 100n
] [
  true,  false,
  true,  true,
  false, true,
  true
]
`,
  ],
  [
    'console.log(Object.assign(new Date(0), { a: 1 }), Object.assign(/x/, { b: 2 }))',
    `1970-01-01T00:00:00.000Z { a: 1 } /x/ { b: 2 }
`,
  ],
  [
    "console.log([['a', 1], ['b', 2]], Object.entries({ a: [1, 2], b: { c: 3 } }))",
    `[ [ 'a', 1 ], [ 'b', 2 ] ] [ [ 'a', [ 1, 2 ] ], [ 'b', { c: 3 } ] ]
`,
  ],
  [
    "console.log({ users: [{ name: 'Alice', age: 30, tags: ['a', 'b'] }, { name: 'Bob', age: 25, tags: [] }], total: 2 })",
    `{
  users: [
    { name: 'Alice', age: 30, tags: [Array] },
    { name: 'Bob', age: 25, tags: [] }
  ],
  total: 2
}
`,
  ],
  [
    "console.log({ matrix: [[1, 2, 3], [4, 5, 6], [7, 8, 9]], name: 'm', deep: { a: { b: [1, 2] } } })",
    `{
  matrix: [ [ 1, 2, 3 ], [ 4, 5, 6 ], [ 7, 8, 9 ] ],
  name: 'm',
  deep: { a: { b: [Array] } }
}
`,
  ],
  [
    'console.log([-1, -2, 3, 4, -5, 6, 7, 8, 9, 10].map(x => x / 2), [[[]]], [{}], [[], {}])',
    `[
  -0.5, -1, 1.5, 2,
  -2.5,  3, 3.5, 4,
   4.5,  5
] [ [ [] ] ] [ {} ] [ [], {} ]
`,
  ],
  [
    "console.log('a'.repeat(200), { t: 'word '.repeat(30) }, ['line one\\nline two is here and it is long enough to be split somewhere, or is it not?'])",
    `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa {
  t: 'word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word '
} [
  'line one\\n' +
    'line two is here and it is long enough to be split somewhere, or is it not?'
]
`,
  ],
  [
    'console.log(Object.assign(() => {}, { a: 1 }), Object.create(Array.prototype), new (class extends Uint8Array {})(2))',
    `[Function (anonymous)] { a: 1 } Array {} Uint8Array(2) [ 0, 0 ]
`,
  ],
  [
    "console.table([{ a: 1, b: 'x' }, { a: 2, c: true }])",
    `┌─────────┬───┬─────┬──────┐
│ (index) │ a │ b   │ c    │
├─────────┼───┼─────┼──────┤
│ 0       │ 1 │ 'x' │      │
│ 1       │ 2 │     │ true │
└─────────┴───┴─────┴──────┘
`,
  ],
  [
    'console.table([[1, 2], [3, 4]])',
    `┌─────────┬───┬───┐
│ (index) │ 0 │ 1 │
├─────────┼───┼───┤
│ 0       │ 1 │ 2 │
│ 1       │ 3 │ 4 │
└─────────┴───┴───┘
`,
  ],
  [
    "console.table([1, 'a'])",
    `┌─────────┬────────┐
│ (index) │ Values │
├─────────┼────────┤
│ 0       │ 1      │
│ 1       │ 'a'    │
└─────────┴────────┘
`,
  ],
  [
    "console.table([{ a: 1, b: 2 }], ['b'])",
    `┌─────────┬───┐
│ (index) │ b │
├─────────┼───┤
│ 0       │ 2 │
└─────────┴───┘
`,
  ],
  [
    'console.table({ x: { a: 1 }, y: { a: 2 } })',
    `┌─────────┬───┐
│ (index) │ a │
├─────────┼───┤
│ x       │ 1 │
│ y       │ 2 │
└─────────┴───┘
`,
  ],
  [
    'console.table(5)',
    `5
`,
  ],
  [
    "console.table(new Map([['k', 1]]))",
    `┌───────────────────┬─────┬────────┐
│ (iteration index) │ Key │ Values │
├───────────────────┼─────┼────────┤
│ 0                 │ 'k' │ 1      │
└───────────────────┴─────┴────────┘
`,
  ],
  [
    'console.table(new Set([7, 8]))',
    `┌───────────────────┬────────┐
│ (iteration index) │ Values │
├───────────────────┼────────┤
│ 0                 │ 7      │
│ 1                 │ 8      │
└───────────────────┴────────┘
`,
  ],
  [
    'console.table([])',
    `┌─────────┐
│ (index) │
├─────────┤
└─────────┘
`,
  ],
];

test.each(SHOWN)('%s prints what Node 24 prints', async (source, stdout) => {
  expect(await verifier.run({ language: 'javascript', source })).toMatchObject({
    stdout,
    stderr: '',
  });
});
