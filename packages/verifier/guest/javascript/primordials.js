/**
 * The built-ins that the guest uses, captured before any program runs. A program that patches a prototype then only
 * affects itself.
 */
export const G = globalThis;
export const { apply, construct, ownKeys } = Reflect;
export const uncurry =
  (method) =>
  (self, ...rest) =>
    apply(method, self, rest);

export const [BaseArray, BaseMap, BaseSet, BaseDate, BasePromise, BaseError] = [
  Array,
  Map,
  Set,
  Date,
  Promise,
  Error,
];
export const [BaseTypeError, BaseRangeError, BaseSyntaxError, BaseRegExp] = [
  TypeError,
  RangeError,
  SyntaxError,
  RegExp,
];
export const [BaseString, BaseNumber, BaseBigInt, BaseBoolean, BaseBuffer, BaseBytes] = [
  String,
  Number,
  BigInt,
  Boolean,
  ArrayBuffer,
  Uint8Array,
];
export const BaseProxy = Proxy;
export const { isArray } = Array;
export const { isInteger, isNaN: isNaNumber } = Number;
export const { parse: jsonParse, stringify: jsonText } = JSON;
export const {
  defineProperty,
  getOwnPropertyDescriptor,
  getOwnPropertyNames,
  getOwnPropertySymbols: symbolsOf,
  getPrototypeOf,
  setPrototypeOf,
  freeze,
  preventExtensions,
  keys: keysOf,
  create: createObject,
  is: sameValue,
} = Object;
export const isView = ArrayBuffer.isView;
export const { floor, imul, max, min } = Math;

export const slice = uncurry(String.prototype.slice);
export const split = uncurry(String.prototype.split);
export const charCodeAt = uncurry(String.prototype.charCodeAt);
export const repeat = uncurry(String.prototype.repeat);
export const includes = uncurry(String.prototype.includes);
export const startsWith = uncurry(String.prototype.startsWith);
export const indexOf = uncurry(String.prototype.indexOf);
export const replace = uncurry(String.prototype.replace);
export const push = uncurry(Array.prototype.push);
export const join = uncurry(Array.prototype.join);
export const sliceArray = uncurry(Array.prototype.slice);
export const hasOwn = uncurry(Object.prototype.hasOwnProperty);
export const isEnumerable = uncurry(Object.prototype.propertyIsEnumerable);
export const tagOf = uncurry(Object.prototype.toString);
export const thenOf = uncurry(Promise.prototype.then);
export const timeOf = uncurry(Date.prototype.getTime);
export const mapEach = uncurry(Map.prototype.forEach);
export const setEach = uncurry(Set.prototype.forEach);
export const numberOf = uncurry(Number.prototype.valueOf);
export const stringOf = uncurry(String.prototype.valueOf);
export const bigIntOf = uncurry(BigInt.prototype.valueOf);
export const symbolOf = uncurry(Symbol.prototype.valueOf);
export const booleanOf = uncurry(Boolean.prototype.valueOf);
export const regExpText = uncurry(RegExp.prototype.toString);
export const symbolText = uncurry(Symbol.prototype.toString);
export const isoText = uncurry(Date.prototype.toISOString);
// biome-ignore lint/security/noGlobalEval: this realm exists to run the program
export const indirectEval = eval;

/**
 * Whether a built-in that checks its `this` accepts a value: then the value is of that kind, whatever its prototype.
 */
export const brandedAs = (check, value) => {
  try {
    check(value);
    return true;
  } catch {
    return false;
  }
};
const getter = (owner, key) => uncurry(getOwnPropertyDescriptor(owner, key).get);
const sizeOfMap = getter(Map.prototype, 'size');
const sizeOfSet = getter(Set.prototype, 'size');
export const sizeOfBuffer = getter(ArrayBuffer.prototype, 'byteLength');
export const bufferOf = getter(DataView.prototype, 'buffer');
export const byteLengthOf = getter(DataView.prototype, 'byteLength');
export const offsetOfView = getter(DataView.prototype, 'byteOffset');
export const isMap = (value) => brandedAs(sizeOfMap, value);
export const isSet = (value) => brandedAs(sizeOfSet, value);
export const isDate = (value) => brandedAs(timeOf, value);
