import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Node } from '../node.ts';
import { readMath } from '../read/structure.ts';
import { exactValue } from './exact.ts';
import { compareModular } from './modular.ts';
import { preciseValue, probe, realValue } from './probe.ts';
import * as Q from './rational.ts';

function read(text: string): Node {
  return readMath(text, 'grouped');
}

const rational = fc
  .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.bigInt({ min: 1n, max: 10n ** 6n }))
  .map(([n, d]) => Q.ratio(n, d));

describe('rationals', () => {
  test('rationals obey the field laws', () => {
    fc.assert(
      fc.property(rational, rational, rational, (a, b, c) => {
        expect(Q.multiply(a, Q.add(b, c))).toEqual(Q.add(Q.multiply(a, b), Q.multiply(a, c)));
        expect(Q.subtract(Q.add(a, b), b)).toEqual(a);
        if (b.n !== 0n) expect(Q.multiply(Q.divide(a, b), b)).toEqual(a);
      }),
    );
  });

  test('rationals have exact roots only if they are exact powers', () => {
    fc.assert(
      fc.property(rational, fc.integer({ min: 2, max: 7 }), (a, k) => {
        const power = Q.power(Q.absolute(a), BigInt(k));
        expect(Q.rationalRoot(power, k)).toEqual(Q.absolute(a));
        if (power.n > 1n) {
          expect(
            Q.rationalRoot({ n: power.n * power.d + 1n, d: 1n }, 2) === undefined || k !== 2,
          ).toBe(true);
        }
      }),
    );
  });

  test('rationals convert to the nearest double, also outside the range of safe integers', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) => {
        const exact = Q.fromDecimal(x.toExponential(17).replace('e+', 'e'));
        expect(Math.abs(Q.toNumber(exact) - x)).toBeLessThanOrEqual(Math.abs(x) * 1e-14);
      }),
    );
    expect(Q.toNumber(Q.ratio(10n ** 400n, 10n ** 399n))).toBeCloseTo(10, 9);
  });
});

describe('exact values', () => {
  test.each([
    ['\\binom{10}{3}', '120'],
    ['10!', '3628800'],
    ['7!!', '105'],
    ['\\sqrt{\\frac{49}{64}}', '7/8'],
    ['8^{-\\frac{2}{3}}', '1/4'],
    ['\\sum_{k=1}^{100} k', '5050'],
    ['\\prod_{k=1}^{5} \\frac{k}{k+1}', '1/6'],
    ['\\lfloor -2.5 \\rfloor', '-3'],
    ['\\gcd(12, 18)', '6'],
    ['2\\frac{1}{3}', '7/3'],
  ])('the exact value of %s is %s', (text, value) => {
    const q = exactValue(read(text));
    expect(q && Q.formatRational(q)).toBe(value);
  });

  test.each(['\\sqrt{2}', 'x', '\\pi', '10^{100000000}', '99999!', '\\frac{1}{0}', '0^{0}'])(
    'of %s are not given',
    (text) => {
      expect(exactValue(read(text))).toBeUndefined();
    },
  );
});

describe('modular comparison', () => {
  test('the modular comparison distinguishes huge powers that doubles cannot', () => {
    expect(compareModular(read('2^{1000000}'), read('4^{500000}'), 1n)).toBe('equal');
    expect(compareModular(read('2^{1000000}'), read('2^{1000000}+1'), 1n)).toBe('different');
  });

  test('the modular comparison agrees with exact arithmetic on rationals', () => {
    fc.assert(
      fc.property(rational, rational, (a, b) => {
        const node = (value: Q.Rational): Node => ({ k: 'num', value });
        expect(compareModular(node(a), node(b), 7n)).toBe(Q.equals(a, b) ? 'equal' : 'different');
      }),
    );
  });

  test('the modular comparison does not decide roots', () => {
    expect(compareModular(read('\\sqrt{2}'), read('\\sqrt{2}'), 1n)).toBeUndefined();
  });
});

describe('values by evaluation', () => {
  /** Known to more digits than asked for. */
  test.each([
    ['\\pi', '3.14159265358979323846264338327950288419716939937510582097494'],
    ['e', '2.71828182845904523536028747135266249775724709369995957496697'],
    ['\\sqrt{2}', '1.41421356237309504880168872420969807856967187537694807317668'],
    ['\\ln 2', '0.69314718055994530941723212145817656807550013436025525412068'],
    ['\\frac{1+\\sqrt{5}}{2}', '1.61803398874989484820458683436563811772030917980576286213545'],
    ['4\\arctan 1', '3.14159265358979323846264338327950288419716939937510582097494'],
  ])('the value of %s is correct to 50 digits', (text, digits) => {
    const gap = Q.subtract(preciseValue(read(text))!, Q.fromDecimal(digits));
    expect(Q.compare(Q.absolute(gap), Q.ratio(1n, 10n ** 50n))).toBe(-1);
  });

  test.each([
    ['\\cos\\frac{\\pi}{7}', Math.cos(Math.PI / 7)],
    ['\\log_2 10', Math.log2(10)],
    ['\\sqrt[3]{-5}', -Math.cbrt(5)],
    ['|3+4i|', 5],
    ['\\arcsin 0.3', Math.asin(0.3)],
    ['\\sinh 2', Math.sinh(2)],
  ])('the value of %s agrees with Math', (text, value) => {
    expect(realValue(read(text))).toBeCloseTo(value, 12);
  });

  test('cancellation does not hide a difference', () => {
    expect(probe(read('\\sqrt{10^{40}+1}-10^{20}'), read('0')).result).toBe('different');
    expect(probe(read('\\sqrt{2}'), read('\\sqrt{2}+10^{-30}')).result).toBe('different');
  });
});
