/** Compares the text of printed values with Node's own, for the same values. */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import util from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

interface Printing {
  readonly inspect: (value: unknown, options?: object) => string;
  readonly formatWithPlaceholders: (values: readonly unknown[]) => string;
  readonly tableText: (...args: readonly unknown[]) => string;
}
let guest: Printing;
beforeAll(async () => {
  const load = (name: string): Promise<Partial<Printing>> =>
    import(new URL(`../../../guest/javascript/${name}.js`, import.meta.url).href);
  guest = { ...(await load('inspect')), ...(await load('table')) } as Printing;
});

class A {
  x = 1;
  get y() {
    return 1;
  }
}
class B extends A {}
const circular: Record<string, unknown> = { a: 1 };
circular.self = circular;
circular.list = [circular];
const f = function named() {};

const VALUES: readonly unknown[] = [
  [A, B, class {}, new A(), new B(), Object.create(new A()), Object.create({})],
  [
    f,
    () => 1,
    async () => 1,
    function* () {},
    async function* () {},
    Object.assign(() => 1, { k: 1 }),
  ],
  // biome-ignore lint/suspicious/noSparseArray: holes are what is shown
  [, , 1, ,],
  new Array(5),
  {
    get a() {
      return 1;
    },
    set b(_: number) {},
    get c() {
      return 1;
    },
    set c(_: number) {},
  },
  { [Symbol('s')]: 1, [Symbol.toStringTag]: 'T', $a: 1, 'b-c': 2, 3: 4, constructor: 1 },
  [new Number(3), new String('xy'), Object(true), Object(3n), Object(Symbol('q'))],
  [(function* () {})(), new WeakMap(), new Map(), new Set(), Math, JSON, Symbol('a'), /a/g],
  Object.assign([1, 2, 3], { extra: 'x' }),
  [Object.create(null), Object.assign(Object.create(null), { a: 1 })],
  [
    circular,
    [[[[[]]]]],
    [[[[1]]]],
    { a: { b: { c: { d: 1 } } } },
    { a: { b: { c: new Map([[1, 2]]) } } },
  ],
  new Map<unknown, unknown>([[{ a: 1 }, new Set([1, 'x'])]]),
  [
    -0,
    1n,
    undefined,
    null,
    new Date(0),
    new Date(Number.NaN),
    new Uint8Array(3),
    new Float64Array([1.5, -0]),
  ],
  ['a\tb\0', "it's", `it's "x"`, `a'b"c\`d`, '\ud800', '\u0080', 'é', '日本'],
  Array.from({ length: 200 }, (_, i) => i),
  Array.from({ length: 30 }, (_, i) => `w${'x'.repeat(i % 7)}`),
  ['x'.repeat(10_001), `${'x'.repeat(50)}\n${'y'.repeat(60)}`],
  { k: 'line\n'.repeat(30) },
  [new (class Foo extends Array {})(3), new (class Bar extends Map<number, number> {})([[1, 2]])],
  [{ [util.inspect.custom]: () => 'CUSTOM\nx' }, { [util.inspect.custom]: () => ({ made: 1 }) }],
];

const leaf = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ unit: 'grapheme-ascii', maxLength: 30 }),
  fc.constantFrom(null, undefined, true, false, 12n ** 20n),
);
const anything = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('node'), { maxLength: 12 }),
    fc.array(fc.integer({ min: -1000, max: 100_000 }), { maxLength: 130 }),
    fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 12 }), { maxLength: 40 }),
    fc.dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 8 }), tie('node'), { maxKeys: 8 }),
    fc.array(fc.tuple(tie('node'), tie('node')), { maxLength: 5 }).map((all) => new Map(all)),
    fc.array(tie('node'), { maxLength: 9 }).map((all) => new Set(all)),
  ),
})).node;

describe('printed values', () => {
  test.each(VALUES)('value %# of the table is printed as in Node', (value) => {
    expect(guest.inspect(value)).toBe(util.inspect(value));
  });

  test('any data is printed as in Node at any depth', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(0, 1, 2, 5, null), (value, depth) => {
        expect(guest.inspect(value, { depth })).toBe(util.inspect(value, { depth }));
      }),
      { numRuns: 300 },
    );
  });

  test.each<[readonly unknown[]]>([
    [['%s %s %s', 1, { a: 1 }, 'more', [1]]],
    [['%d %i %f', '5', 3.7, '1.5']],
    [['%d %d %d', {}, -0, 3n]],
    [['%j %O %c %%', { a: 1 }, { a: [1] }, 'css']],
    [['%%']],
    [['%x %s', 1]],
    [['%s %s %s %s', new A(), -0, Symbol('a'), [1, [2]]]],
    [['%s %s %s', null, new Date(0), { toString: () => 'own' }]],
    [[1, 'a', 'b']],
  ])('placeholders of case %# are filled as in Node', (values) => {
    expect(guest.formatWithPlaceholders(values)).toBe(util.format(...values));
  });

  test.each<[readonly unknown[]]>([
    [
      [
        [
          { a: 1, b: 'x' },
          { a: 2, c: true },
        ],
      ],
    ],
    [
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ],
    [[{ x: { a: 1 }, y: 2 }]],
    [[new Map([['k', 1]])]],
    [[new Set([1, { a: 1 }])]],
    [[[{ a: 1, b: 2 }], ['b']]],
    [[[1, { a: { b: 1, c: 2, d: 3 } }, null]]],
    [[5]],
    [[[]]],
  ])('table %# is drawn as in Node', (args) => {
    let text = '';
    const stdout = new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    });
    new Console(stdout).table(...(args as [unknown, string[]?]));
    expect(`${guest.tableText(...args)}\n`).toBe(text);
  });
});
