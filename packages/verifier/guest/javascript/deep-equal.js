/**
 * Guest: deep equality as Node's assert knows it, loose and strict. Used by `assert` and `util`.
 */
import {
  BaseError,
  brandedAs,
  getPrototypeOf,
  hasOwn,
  isArray,
  isDate,
  isMap,
  isSet,
  isView,
  keysOf,
  numberOf,
  push,
  sameValue,
  stringOf,
  tagOf,
  timeOf,
} from './primordials.js';

/** @param strict compare with `Object.is` and prototypes, else with `==` */
export const deepEqual = (a, b, strict) => equalWithin(a, b, strict, []);

const isObject = (value) => typeof value === 'object' && value !== null;

const equalWithin = (a, b, strict, pairs) => {
  if (sameValue(a, b)) return true;
  if (!isObject(a) || !isObject(b)) {
    if (strict) return typeof a === 'number' && typeof b === 'number' && a === b && a !== 0;
    // biome-ignore lint/suspicious/noDoubleEquals: loose equality is what assert.deepEqual promises
    return !isObject(a) && !isObject(b) && (a == b || (sameNaN(a) && sameNaN(b)));
  }
  if (strict && getPrototypeOf(a) !== getPrototypeOf(b)) return false;
  for (let i = 0; i < pairs.length; i++) if (pairs[i][0] === a && pairs[i][1] === b) return true;
  push(pairs, [a, b]);
  const same = equalObjects(a, b, strict, pairs);
  pairs.length -= 1;
  return same;
};

const sameNaN = (value) => typeof value === 'number' && Number.isNaN(value);

const equalObjects = (a, b, strict, pairs) => {
  if (isArray(a) !== isArray(b) || tagOf(a) !== tagOf(b)) return false;
  if (isDate(a)) return isDate(b) && sameValue(timeOf(a), timeOf(b));
  if (tagOf(a) === '[object RegExp]') return `${a}` === `${b}`;
  if (a instanceof BaseError && (a.name !== b.name || a.message !== b.message)) return false;
  if (brandedAs(numberOf, a) && !sameValue(numberOf(a), numberOf(b))) return false;
  if (brandedAs(stringOf, a) && stringOf(a) !== stringOf(b)) return false;
  if ((isArray(a) || isView(a)) && a.length !== b.length) return false;
  if (isSet(a)) return equalSets(a, b, strict, pairs);
  if (isMap(a)) return equalMaps(a, b, strict, pairs);
  return equalFields(a, b, strict, pairs);
};

const equalFields = (a, b, strict, pairs) => {
  const keys = keysOf(a);
  if (keys.length !== keysOf(b).length) return false;
  for (let i = 0; i < keys.length; i++) {
    if (!hasOwn(b, keys[i])) return false;
    if (!equalWithin(a[keys[i]], b[keys[i]], strict, pairs)) return false;
  }
  return true;
};

const equalSets = (a, b, strict, pairs) => {
  if (a.size !== b.size) return false;
  const left = [...b];
  for (const item of a) {
    const at = left.findIndex((other) => equalWithin(item, other, strict, pairs));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return true;
};

const equalMaps = (a, b, strict, pairs) => {
  if (a.size !== b.size) return false;
  const left = [...b];
  for (const entry of a) {
    const at = left.findIndex((other) => equalWithin(entry, other, strict, pairs));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return true;
};
