/**
 * Units with exact rational factors, so that 1 km = 1000 m and 1 in = 2.54 cm are equalities of rationals. mathjs is not
 * used: its factors are doubles, and loading it takes longer than verifying all answers of a step.
 * Leaves out: conversion of currencies (each is a separate dimension) and of temperatures (offsets).
 */
import { fromDecimal, multiply, ONE, power, type Rational, ratio } from '../number/rational.ts';

/** Powers of base dimensions, and the factor to them. A noun (`apples`) is a dimension `noun:apple`. */
export interface Unit {
  readonly factor: Rational;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly label: string;
}

type Row = readonly [names: string, factor: string, dimension: string];

/** names | factor to the base unit | dimension. `a/b` is an exact quotient, `^n` a power of the dimension. */
const TABLE: readonly Row[] = [
  ['m meter metre', '1', 'length'],
  ['cm centimeter centimetre', '1/100', 'length'],
  ['mm millimeter millimetre', '1/1000', 'length'],
  ['km kilometer kilometre', '1000', 'length'],
  ['dm decimeter decimetre', '1/10', 'length'],
  ['nm nanometer nanometre', '1e-9', 'length'],
  ['um micrometer micrometre micron', '1e-6', 'length'],
  ['in inch inche', '0.0254', 'length'],
  ['ft foot feet', '0.3048', 'length'],
  ['yd yard', '0.9144', 'length'],
  ['mi mile', '1609.344', 'length'],
  ['g gram gm', '1', 'mass'],
  ['kg kilogram', '1000', 'mass'],
  ['mg milligram', '1/1000', 'mass'],
  ['lb pound', '453.59237', 'mass'],
  ['oz ounce', '28.349523125', 'mass'],
  ['ton', '907184.74', 'mass'],
  ['tonne', '1000000', 'mass'],
  ['s sec second', '1', 'time'],
  ['ms millisecond', '1/1000', 'time'],
  ['min minute', '60', 'time'],
  ['h hr hour', '3600', 'time'],
  ['day', '86400', 'time'],
  ['week wk', '604800', 'time'],
  ['month', '1', 'month'],
  ['year yr', '12', 'month'],
  ['decade', '120', 'month'],
  ['century centurie', '1200', 'month'],
  ['l liter litre', '1/1000', 'length^3'],
  ['ml milliliter millilitre', '1e-6', 'length^3'],
  ['gallon gal', '0.003785411784', 'length^3'],
  ['quart qt', '0.000946352946', 'length^3'],
  ['pint', '0.000473176473', 'length^3'],
  ['cup', '0.0002365882365', 'length^3'],
  ['acre', '4046.8564224', 'length^2'],
  ['hectare ha', '10000', 'length^2'],
  ['mph', '1397/3125', 'speed'],
  ['kph kmh', '5/18', 'speed'],
  ['hz hertz', '1', 'frequency'],
  ['n newton', '1', 'force'],
  ['j joule', '1', 'energy'],
  ['kj kilojoule', '1000', 'energy'],
  ['w watt', '1', 'power'],
  ['kw kilowatt', '1000', 'power'],
  ['v volt', '1', 'voltage'],
  ['a amp ampere', '1', 'current'],
  ['ohm', '1', 'resistance'],
  ['pa pascal', '1', 'pressure'],
  ['kpa', '1000', 'pressure'],
  ['mol mole', '1', 'amount'],
  ['k kelvin', '1', 'temperature'],
  ['degree deg', '1', 'angle'],
  ['rad radian', '1', 'radian'],
  ['rev revolution', '360', 'angle'],
  ['arcminute', '1/60', 'angle'],
  ['arcsecond', '1/3600', 'angle'],
  ['celsius', '1', 'celsius'],
  ['fahrenheit', '1', 'fahrenheit'],
  ['dollar usd buck', '100', 'usd'],
  ['cent penny pennie', '1', 'usd'],
  ['dime', '10', 'usd'],
  ['nickel', '5', 'usd'],
  ['quarter', '25', 'usd'],
  ['euro eur', '100', 'eur'],
  ['pence', '1', 'gbp'],
  ['gbp', '100', 'gbp'],
  ['rupee', '1', 'inr'],
  ['yen', '1', 'jpy'],
  ['yuan', '1', 'cny'],
  ['peso', '1', 'mxn'],
  ['unit', '1', 'unit'],
  ['dozen', '12', 'count'],
];

/** Symbols that are units only after a number, because they are also names of variables. */
const CASE_SENSITIVE = new Set(['m', 'g', 's', 'h', 'l', 'n', 'j', 'w', 'v', 'a', 'k', 'pa']);
const UPPER = new Map([
  ['L', 'l'],
  ['N', 'n'],
  ['J', 'j'],
  ['W', 'w'],
  ['V', 'v'],
  ['A', 'a'],
  ['K', 'k'],
  ['Pa', 'pa'],
  ['mL', 'ml'],
  ['Hz', 'hz'],
  ['kW', 'kw'],
  ['kJ', 'kj'],
  ['kPa', 'kpa'],
]);
export const CURRENCY_SIGNS: Readonly<Record<string, string>> = {
  $: 'dollar',
  '€': 'euro',
  '£': 'gbp',
  '¥': 'yen',
  '₹': 'rupee',
};

function parseFactor(text: string): Rational {
  const [n = '1', d] = text.split('/');
  return d === undefined ? fromDecimal(n) : ratio(BigInt(n), BigInt(d));
}

const UNITS: ReadonlyMap<string, Unit> = new Map(
  TABLE.flatMap(([names, factor, dimension]) => {
    const [name = '', exponent = '1'] = dimension.split('^');
    const dimensions = name === 'speed' ? { length: 1, time: -1 } : { [name]: Number(exponent) };
    return names
      .split(' ')
      .map((n): [string, Unit] => [
        n,
        { factor: parseFactor(factor), dimensions, label: names.split(' ').at(-1)! },
      ]);
  }),
);

/** The unit of a word, singular or plural; `symbols` allows one-letter symbols (after a number or in `\text`). */
export function findUnit(word: string, symbols: boolean): Unit | undefined {
  const upper = UPPER.get(word);
  if (upper !== undefined) return symbols ? UNITS.get(upper) : undefined;
  if (CASE_SENSITIVE.has(word)) {
    return symbols && !'njwvak'.includes(word) ? UNITS.get(word) : undefined;
  }
  if (word.length === 1) return undefined;
  const lower = word.toLowerCase();
  return (
    UNITS.get(lower) ??
    (lower.length > 3 && lower.endsWith('s')
      ? UNITS.get(lower.slice(0, -1))
      : lower.length === 3 && lower.endsWith('s') && ['hrs', 'lbs', 'yds'].includes(lower)
        ? UNITS.get(lower.slice(0, -1))
        : undefined)
  );
}

/** A counted noun, `apples`: equal to its singular, convertible to nothing else. */
export function nounUnit(words: string): Unit {
  const lower = words.toLowerCase();
  const singular = lower.endsWith('ies')
    ? `${lower.slice(0, -3)}y`
    : lower.endsWith('s') && !lower.endsWith('ss')
      ? lower.slice(0, -1)
      : lower;
  return { factor: ONE, dimensions: { [`noun:${singular}`]: 1 }, label: lower };
}

/** Whether a unit counts things, and so says no more than the question. */
export function isNoun(unit: Unit): boolean {
  return (
    Object.keys(unit.dimensions).some((d) => d.startsWith('noun:')) || 'unit' in unit.dimensions
  );
}

export function unitPower(unit: Unit, exponent: number): Unit {
  const dimensions = Object.fromEntries(
    Object.entries(unit.dimensions).map(([d, k]) => [d, k * exponent]),
  );
  return {
    factor: power(unit.factor, BigInt(exponent)),
    dimensions,
    label: exponent === 1 ? unit.label : `${unit.label}^${exponent}`,
  };
}

export function unitProduct(a: Unit, b: Unit): Unit {
  const dimensions: Record<string, number> = { ...a.dimensions };
  for (const [d, k] of Object.entries(b.dimensions)) dimensions[d] = (dimensions[d] ?? 0) + k;
  return { factor: multiply(a.factor, b.factor), dimensions, label: `${a.label}·${b.label}` };
}

/** Whether an amount in one unit can be converted to the other. */
export function sameDimensions(a: Unit, b: Unit): boolean {
  const names = new Set([...Object.keys(a.dimensions), ...Object.keys(b.dimensions)]);
  return [...names].every((d) => (a.dimensions[d] ?? 0) === (b.dimensions[d] ?? 0));
}
