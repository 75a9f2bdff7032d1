/** Tests of the pickle reader: pickles that Python writes, and hostile ones. */
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readPickledTests } from './pickle.ts';

function encode(hex: string): string {
  return deflateSync(Buffer.from(hex.replaceAll(' ', ''), 'hex')).toString('base64');
}

/** `pickle.dumps(value, protocol).hex()` of Python 3.11. */
const VALUE = [
  { input: 'é\n', output: '2' },
  'assert x',
  1,
  -2,
  300,
  70000,
  1.5,
  null,
  true,
  false,
  [7, []],
  'x',
];

describe('plain pickles', () => {
  test.each([
    [
      2,
      '80025d7100287d7101285805000000696e70757471025803000000c3a90a710358060000006f757470757471045801000000327105755808000000617373657274207871064b014afeffffff4d2c014a70110100473ff80000000000004e88894b075d71078671085801000000787109652e',
    ],
    [
      3,
      '80035d7100287d7101285805000000696e70757471025803000000c3a90a710358060000006f757470757471045801000000327105755808000000617373657274207871064b014afeffffff4d2c014a70110100473ff80000000000004e88894b075d71078671085801000000787109652e',
    ],
    [
      4,
      '80049554000000000000005d94287d94288c05696e707574948c03c3a90a948c066f7574707574948c013294758c086173736572742078944b014afeffffff4d2c014a70110100473ff80000000000004e88894b075d9486948c017894652e',
    ],
    [
      5,
      '80059554000000000000005d94287d94288c05696e707574948c03c3a90a948c066f7574707574948c013294758c086173736572742078944b014afeffffff4d2c014a70110100473ff80000000000004e88894b075d9486948c017894652e',
    ],
  ] as const)('a plain pickle of protocol %i is read', (_protocol, hex) => {
    expect(readPickledTests(encode(hex))).toEqual(VALUE);
  });
});

describe('rejected pickles', () => {
  test.each([
    ['a call of os.system', '8004 8c02 6f73 8c06 73797374656d 93 8c02 6964 85 52 2e'],
    ['a global of protocol 2', '8002 63 6f730a73797374656d0a 2e'],
    ['a list that contains itself', '8004 5d 94 6800 61 2e'],
    ['a pickle that ends too early', '8004 8cff 61'],
    ['a string that is not UTF-8', '8004 8c02 fffe 2e'],
    ['an append without a list', '8004 61 2e'],
    ['too many values', `8004 ${'4e'.repeat(1_000_001)} 2e`],
  ])('a pickle is rejected for %s', (_name, hex) => {
    expect(() => readPickledTests(encode(hex))).toThrow(/plain pickle/);
  });

  test('text that is not compressed, or that decompresses to too much, is rejected', () => {
    expect(() => readPickledTests('abc')).toThrow(/Base64 of zlib/);
    const bomb = deflateSync(Buffer.alloc(40 << 20)).toString('base64');
    expect(() => readPickledTests(bomb)).toThrow(/Base64 of zlib/);
  });

  test('a key named __proto__ is an ordinary key', () => {
    const value = readPickledTests(encode('8004 7d 8c09 5f5f70726f746f5f5f 8c01 61 73 2e'));
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});
