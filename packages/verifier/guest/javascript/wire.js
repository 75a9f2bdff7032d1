/**
 * Encodes results and decodes arguments. A result is JSON in which a tagged array stands for every value that JSON does
 * not have. Arguments are JSON with `{"$type": ...}` objects. `src/code/value.ts` reads and writes the other side.
 */

import { OUTPUT_LIMIT, printed } from './output.js';
import {
  apply,
  BaseBigInt,
  BaseDate,
  BaseError,
  BaseMap,
  BaseRangeError,
  BaseSet,
  BaseString,
  booleanOf,
  brandedAs,
  createObject,
  includes,
  isArray,
  isDate,
  isMap,
  isNaNumber,
  isSet,
  isView,
  jsonParse,
  jsonText,
  keysOf,
  mapEach,
  numberOf,
  push,
  setEach,
  slice,
  stringOf,
  symbolText,
  tagOf,
  timeOf,
} from './primordials.js';

const MAX_WIRE_DEPTH = 200;
let charsLeft = 0;
let ancestors = [];

/** Encodes a value in wire form. Throws {@link OUTPUT_LIMIT} if the text is longer than the output limit. */
export const encode = (value) => {
  charsLeft = printed.limit;
  ancestors = [];
  return encodeAny(value);
};

const take = (text) => {
  charsLeft -= text.length;
  if (charsLeft < 0) throw OUTPUT_LIMIT;
  return text;
};

const encodeAny = (value) => {
  switch (typeof value) {
    case 'number':
      return take(encodeNumber(value));
    case 'string':
      take(value);
      return jsonText(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return '["u"]';
    case 'bigint':
      return take(`["b","${value}"]`);
    case 'function':
      return take(`["f",${jsonText(slice(`${value.name}`, 0, 100))}]`);
    case 'symbol':
      return take(`["y",${jsonText(slice(symbolText(value), 0, 100))}]`);
    default:
      return value === null ? 'null' : encodeObject(value);
  }
};

const encodeNumber = (value) => {
  if (isNaNumber(value)) return '["n","NaN"]';
  if (value === Infinity || value === -Infinity) return `["n","${value}"]`;
  return value === 0 && 1 / value < 0 ? '["n","-0"]' : BaseString(value);
};

const encodeObject = (value) => {
  for (let i = ancestors.length - 1; i >= 0; i--) {
    if (ancestors[i] === value) return take(`["c",${ancestors.length - i}]`);
  }
  if (ancestors.length >= MAX_WIRE_DEPTH)
    throw new BaseRangeError('the returned value is nested too deep');
  take('[]');
  push(ancestors, value);
  const text = encodeKind(value);
  ancestors.length -= 1;
  return text;
};

const encodeKind = (value) => {
  if (isArray(value) || isView(value)) return encodeList(value);
  if (isMap(value)) return encodeMap(value);
  if (isSet(value)) return encodeSet(value);
  if (isDate(value)) return `["d",${encodeNumber(timeOf(value))}]`;
  if (value instanceof BaseError) {
    return `["e",${shortText(value.name)},${shortText(value.message)}]`;
  }
  if (brandedAs(numberOf, value)) return encodeNumber(numberOf(value));
  if (brandedAs(stringOf, value)) return jsonText(take(stringOf(value)));
  if (brandedAs(booleanOf, value)) return `${booleanOf(value)}`;
  const tag = tagOf(value);
  if (tag === '[object RegExp]' || tag === '[object Promise]') {
    return `["r",${jsonText(slice(tag, 8, -1))},${shortText(`${value}`)}]`;
  }
  if (NEXT[tag]) return encodeIterator(value, NEXT[tag]);
  return encodeFields(value);
};

/** The original `next` of each built-in kind of iterator, by tag. */
const NEXT = createObject(null);
for (const iterator of [
  (function* () {})(),
  [].values(),
  ''[Symbol.iterator](),
  new BaseMap().keys(),
  new BaseSet().keys(),
  ''.matchAll(/a/g),
  [].values().map(BaseString),
]) {
  NEXT[tagOf(iterator)] = iterator.next;
}

/** Encodes the remaining items of an iterator as a list. An endless iterator reaches the output limit. */
const encodeIterator = (iterator, next) => {
  let text = '["a"';
  for (let step = apply(next, iterator, []); !step.done; step = apply(next, iterator, [])) {
    text += `${take(',')}${encodeAny(step.value)}`;
  }
  return `${text}]`;
};

const shortText = (value) => jsonText(slice(`${value}`, 0, 1000));

const encodeList = (value) => {
  let text = '["a"';
  const { length } = value;
  for (let i = 0; i < length; i++) text += `,${encodeAny(value[i])}`;
  return `${text}]`;
};

const encodeFields = (value) => {
  let text = '["o"';
  const keys = keysOf(value);
  for (let i = 0; i < keys.length; i++) {
    text += `,${jsonText(take(keys[i]))},${encodeAny(value[keys[i]])}`;
  }
  return `${text}]`;
};

const encodeMap = (value) => {
  let text = '["m"';
  mapEach(value, (item, key) => {
    text += `,${encodeAny(key)},${encodeAny(item)}`;
  });
  return `${text}]`;
};

const encodeSet = (value) => {
  let text = '["s"';
  setEach(value, (item) => {
    text += `,${encodeAny(item)}`;
  });
  return `${text}]`;
};

/** Decodes the arguments of one call. */
export const decodeArguments = (text) => {
  const parsed = jsonParse(text);
  return includes(text, '"$type"') ? revive(parsed) : parsed;
};

const revive = (value) => {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = revive(value[i]);
    return value;
  }
  if (typeof value.$type === 'string') return reviveTagged(value);
  const keys = keysOf(value);
  for (let i = 0; i < keys.length; i++) value[keys[i]] = revive(value[keys[i]]);
  return value;
};

const reviveTagged = ({ $type: type, value }) => {
  switch (type) {
    case 'undefined':
      return undefined;
    case 'number':
      return +value;
    case 'bigint':
      return BaseBigInt(value);
    case 'map':
      return new BaseMap(revive(value));
    case 'set':
      return new BaseSet(revive(value));
    case 'date':
      return new BaseDate(value);
    default:
      return revive(value); // JavaScript has no tuples: they become lists
  }
};
