/**
 * Deep equality as in Node's assert, loose and strict. Either side may come from a program, so the contents of an
 * object are read with captured built-ins and not through its own properties.
 */
import {
  BaseBytes,
  BaseError,
  bigIntOf,
  booleanOf,
  brandedAs,
  bufferOf,
  byteLengthOf,
  createObject,
  getPrototypeOf,
  hasOwn,
  isArray,
  isDate,
  isMap,
  isNaNumber,
  isSet,
  isView,
  keysOf,
  mapEach,
  numberOf,
  offsetOfView,
  push,
  regExpText,
  sameValue,
  setEach,
  sizeOfBuffer,
  stringOf,
  symbolOf,
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

const sameNaN = (value) => typeof value === 'number' && isNaNumber(value);

const equalObjects = (a, b, strict, pairs) => {
  const tag = tagOf(a);
  if (tag !== tagOf(b) || isArray(a) !== isArray(b) || isView(a) !== isView(b)) return false;
  if (isArray(a) && a.length !== b.length) return false;
  const kind = KINDS[tag];
  if (kind !== undefined) {
    const held = kind.has(a);
    if (held !== kind.has(b) || (held && !kind.equal(a, b, strict, pairs))) return false;
  }
  if (a instanceof BaseError !== b instanceof BaseError) return false;
  if (a instanceof BaseError && (a.name !== b.name || a.message !== b.message)) return false;
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

const itemsOf = (set) => {
  const items = [];
  setEach(set, (item) => push(items, item));
  return items;
};

const entriesOf = (map) => {
  const entries = [];
  mapEach(map, (value, key) => push(entries, [key, value]));
  return entries;
};

/**
 * Whether two lists are equal in any order. Mostly the order is the same, so the search begins at the first unmatched
 * item.
 */
const equalLists = (left, right, strict, pairs) => {
  if (left.length !== right.length) return false;
  const taken = [];
  let first = 0;
  for (let i = 0; i < left.length; i++) {
    let at = first;
    while (at < right.length && (taken[at] || !equalWithin(left[i], right[at], strict, pairs)))
      at++;
    if (at === right.length) return false;
    taken[at] = true;
    while (taken[first]) first++;
  }
  return true;
};

const bytesOf = (value) =>
  isView(value)
    ? new BaseBytes(bufferOf(value), offsetOfView(value), byteLengthOf(value))
    : new BaseBytes(value);

const equalBytes = (a, b) => equalFields(bytesOf(a), bytesOf(b), true, []);

/** A kind of object whose value a built-in reads. The built-in throws for any other object. */
const readBy = (read) => ({
  has: (value) => brandedAs(read, value),
  equal: (a, b) => sameValue(read(a), read(b)),
});

const onlyItself = { has: () => true, equal: () => false };

/**
 * What an object of each tag contains besides its fields. A program can fake a tag, so `has` checks the object itself.
 * Two objects are equal only if both have the contents or neither has.
 */
const KINDS = Object.assign(createObject(null), {
  '[object Map]': {
    has: isMap,
    equal: (a, b, strict, pairs) => equalLists(entriesOf(a), entriesOf(b), strict, pairs),
  },
  '[object Set]': {
    has: isSet,
    equal: (a, b, strict, pairs) => equalLists(itemsOf(a), itemsOf(b), strict, pairs),
  },
  '[object Date]': { has: isDate, equal: (a, b) => sameValue(timeOf(a), timeOf(b)) },
  '[object RegExp]': readBy(regExpText),
  '[object Number]': readBy(numberOf),
  '[object String]': readBy(stringOf),
  '[object Boolean]': readBy(booleanOf),
  '[object BigInt]': readBy(bigIntOf),
  '[object Symbol]': readBy(symbolOf),
  '[object ArrayBuffer]': { has: (value) => brandedAs(sizeOfBuffer, value), equal: equalBytes },
  '[object DataView]': { has: isView, equal: equalBytes },
  '[object Promise]': onlyItself,
  '[object WeakMap]': onlyItself,
  '[object WeakSet]': onlyItself,
});
