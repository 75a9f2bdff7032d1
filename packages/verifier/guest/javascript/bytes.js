/** Conversions between text and bytes (UTF-8, base64, hex and others), `Buffer`, and the globals that need them. */
import { bytesText } from './inspect.js';
import {
  BaseBuffer,
  BaseBytes,
  BaseError,
  BaseRangeError,
  BaseString,
  BaseTypeError,
  charCodeAt,
  defineProperty,
  G,
  isNaNumber,
  isView,
  join,
  max,
  min,
  push,
  slice,
} from './primordials.js';
import { hidden } from './world.js';

const charOf = BaseString.fromCharCode;

/** The UTF-8 bytes of a text as a plain list. A lone surrogate becomes U+FFFD. */
const utf8Bytes = (text) => {
  const bytes = [];
  for (let i = 0; i < text.length; i++) {
    let code = charCodeAt(text, i);
    if (code >= 0xd800 && code < 0xe000) {
      const low = code < 0xdc00 && i + 1 < text.length ? charCodeAt(text, i + 1) : 0;
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        i++;
      } else code = 0xfffd;
    }
    if (code < 0x80) push(bytes, code);
    else if (code < 0x800) push(bytes, 0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) {
      push(bytes, 0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    } else {
      push(bytes, 0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63));
      push(bytes, 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
  }
  return bytes;
};

/** The text of UTF-8 bytes. Invalid bytes become U+FFFD. */
const utf8Text = (bytes) => {
  const parts = [];
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i++];
    const more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    let code = more === 0 ? first : first & (0x3f >> more);
    let ok = first < 0x80 || (first >= 0xc2 && first < 0xf5);
    for (let k = 0; k < more && ok; k++) {
      ok = (bytes[i] & 0xc0) === 0x80;
      if (ok) code = (code << 6) | (bytes[i++] & 63);
    }
    if (!ok) code = 0xfffd;
    if (code < 0x10000) push(parts, charOf(code));
    else
      push(parts, charOf(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff)));
  }
  return join(parts, '');
};

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

const base64Text = (bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const three = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += BASE64[three >> 18] + BASE64[(three >> 12) & 63];
    text += i + 1 < bytes.length ? BASE64[(three >> 6) & 63] : '=';
    text += i + 2 < bytes.length ? BASE64[three & 63] : '=';
  }
  return text;
};

const base64Bytes = (text) => {
  const bytes = [];
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i] === '-' ? '+' : text[i] === '_' ? '/' : text[i];
    const value = BASE64.indexOf(letter);
    if (value < 0) continue;
    held = (held << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      push(bytes, (held >> bits) & 255);
    }
  }
  return bytes;
};

const latinBytes = (text) => {
  const bytes = [];
  for (let i = 0; i < text.length; i++) push(bytes, charCodeAt(text, i) & 255);
  return bytes;
};

const latinText = (bytes) => {
  const parts = [];
  for (let i = 0; i < bytes.length; i++) push(parts, charOf(bytes[i]));
  return join(parts, '');
};

const hexBytes = (text) => {
  const bytes = [];
  for (let i = 0; i + 1 < text.length; i += 2) {
    const pair = slice(text, i, i + 2);
    if (!/^[\da-f]{2}$/i.test(pair)) break;
    push(bytes, parseInt(pair, 16));
  }
  return bytes;
};

const hexText = (bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    text += `${bytes[i] < 16 ? '0' : ''}${bytes[i].toString(16)}`;
  }
  return text;
};

const wideBytes = (text) => {
  const bytes = [];
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i);
    push(bytes, code & 255, code >> 8);
  }
  return bytes;
};

const wideText = (bytes) => {
  const parts = [];
  for (let i = 0; i + 1 < bytes.length; i += 2) push(parts, charOf(bytes[i] | (bytes[i + 1] << 8)));
  return join(parts, '');
};

const base64UrlText = (bytes) => base64Text(bytes).replace(/[+/=]/g, (c) => URL_LETTERS[c]);
const URL_LETTERS = { '+': '-', '/': '_', '=': '' };
const asciiText = (bytes) => latinText(bytes.map((byte) => byte & 127));

/** By encoding: the function from text to bytes, and the one back. */
const CODECS = {
  __proto__: null,
  utf8: [utf8Bytes, utf8Text],
  'utf-8': [utf8Bytes, utf8Text],
  base64: [base64Bytes, base64Text],
  base64url: [base64Bytes, base64UrlText],
  hex: [hexBytes, hexText],
  latin1: [latinBytes, latinText],
  binary: [latinBytes, latinText],
  ascii: [latinBytes, asciiText],
  utf16le: [wideBytes, wideText],
  ucs2: [wideBytes, wideText],
};
const codecOf = (encoding) => {
  const codec = CODECS[encoding] ?? CODECS[BaseString(encoding ?? 'utf8').toLowerCase()];
  if (codec) return codec;
  const error = new BaseTypeError(`Unknown encoding: ${encoding}`);
  error.code = 'ERR_UNKNOWN_ENCODING';
  throw error;
};
const bytesIn = (text, encoding) => codecOf(encoding)[0](text);

export class Buffer extends Uint8Array {
  static from(value, encoding, length) {
    if (typeof value === 'string') return new Buffer(bytesIn(value, encoding));
    if (value instanceof BaseBuffer) return new Buffer(value, encoding, length);
    return new Buffer(value?.type === 'Buffer' ? value.data : value);
  }
  static alloc(size, fill = 0, encoding = undefined) {
    return new Buffer(size).fill(fill, 0, size, encoding);
  }
  static allocUnsafe(size) {
    return new Buffer(size);
  }
  static isBuffer(value) {
    return value instanceof Buffer;
  }
  static isEncoding(name) {
    return typeof name === 'string' && name.toLowerCase() in CODECS;
  }
  static byteLength(text, encoding) {
    return typeof text === 'string' ? bytesIn(text, encoding).length : text.byteLength;
  }
  static compare(a, b) {
    const shorter = min(a.length, b.length);
    for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
  }
  static concat(list, length = Infinity) {
    const bytes = [];
    for (let i = 0; i < list.length; i++) {
      for (let k = 0; k < list[i].length && bytes.length < length; k++) push(bytes, list[i][k]);
    }
    while (length !== Infinity && bytes.length < length) push(bytes, 0);
    return new Buffer(bytes);
  }
  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `<Buffer ${bytesText(this)}>`;
  }
  toString(encoding, start = 0, end = this.length) {
    const bytes = start === 0 && end === this.length ? this : this.subarray(start, end);
    return codecOf(encoding)[1](bytes);
  }
  toJSON() {
    return { type: 'Buffer', data: [...this] };
  }
  equals(other) {
    return Buffer.compare(this, other) === 0;
  }
  compare(other) {
    return Buffer.compare(this, other);
  }
  /** Shares the bytes, unlike the method of other typed arrays. */
  slice(start, end) {
    return this.subarray(start, end);
  }
  fill(value, start = 0, end = this.length, encoding = undefined) {
    if (typeof start === 'string') return this.fill(value, 0, this.length, start);
    const bytes = typeof value === 'string' ? bytesIn(value, encoding) : value;
    if (typeof bytes !== 'object' || bytes === null) return super.fill(bytes, start, end);
    for (let i = start; i < end; i++) {
      this[i] = bytes.length === 0 ? 0 : bytes[(i - start) % bytes.length];
    }
    return this;
  }
  write(text, offset = 0, length = undefined, encoding = undefined) {
    if (typeof offset === 'string') return this.write(text, 0, undefined, offset);
    if (typeof length === 'string') return this.write(text, offset, undefined, length);
    const bytes = bytesIn(text, encoding);
    const count = min(bytes.length, this.length - offset, length ?? Infinity);
    for (let i = 0; i < count; i++) this[offset + i] = bytes[i];
    return count;
  }
  copy(target, targetStart = 0, start = 0, end = this.length) {
    const bytes = this.subarray(start, min(end, start + target.length - targetStart));
    target.set(bytes, targetStart);
    return bytes.length;
  }
  indexOf(value, from = 0, encoding = undefined) {
    if (typeof value === 'number') return super.indexOf(value & 255, from);
    const bytes = typeof value === 'string' ? bytesIn(value, encoding) : value;
    const first = from < 0 ? max(0, this.length + from) : from;
    for (let i = first; i + bytes.length <= this.length; i++) {
      let same = 0;
      while (same < bytes.length && this[i + same] === bytes[same]) same++;
      if (same === bytes.length) return i;
    }
    return -1;
  }
  includes(value, from, encoding) {
    return this.indexOf(value, from, encoding) >= 0;
  }
}

/**
 * Kinds of numbers in a Buffer: Node's name, the name in DataView, the number of bytes.
 * @type {[string, string, number][]}
 */
const NUMBERS = [
  ['UInt8', 'Uint8', 1],
  ['Int8', 'Int8', 1],
  ['UInt16', 'Uint16', 2],
  ['Int16', 'Int16', 2],
  ['UInt32', 'Uint32', 4],
  ['Int32', 'Int32', 4],
  ['BigUInt64', 'BigUint64', 8],
  ['BigInt64', 'BigInt64', 8],
  ['Float', 'Float32', 4],
  ['Double', 'Float64', 8],
];
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const outOfRange = (name, value) => {
  const error = new BaseRangeError(`The value of "${name}" is out of range. Received ${value}`);
  error.code = 'ERR_OUT_OF_RANGE';
  throw error;
};

const addNumber = ([name, kind, size], end) => {
  const little = end === 'LE';
  const isWhole = !kind.startsWith('Float');
  const read = function (offset = 0) {
    if (!(offset >= 0 && offset + size <= this.length)) outOfRange('offset', offset);
    return viewOf(this)[`get${kind}`](offset, little);
  };
  const write = function (value, offset = 0) {
    if (!(offset >= 0 && offset + size <= this.length)) outOfRange('offset', offset);
    const view = viewOf(this);
    const before = view[`get${kind}`](offset, little);
    view[`set${kind}`](offset, value, little);
    const given = typeof value === 'bigint' ? value : Math.trunc(value);
    // A value that is read back differently does not fit.
    if (isWhole && !isNaNumber(given) && view[`get${kind}`](offset, little) !== given) {
      view[`set${kind}`](offset, before, little);
      outOfRange('value', value);
    }
    return offset + size;
  };
  for (const spelled of [name, name.replace('UI', 'Ui')]) {
    hidden(Buffer.prototype, `read${spelled}${end}`, read);
    hidden(Buffer.prototype, `write${spelled}${end}`, write);
  }
};
for (const number of NUMBERS) {
  for (const end of number[2] === 1 ? [''] : ['LE', 'BE']) addNumber(number, end);
}

class TextEncoder {
  encode(text = '') {
    return new BaseBytes(utf8Bytes(BaseString(text)));
  }
}
defineProperty(TextEncoder.prototype, 'encoding', { value: 'utf-8' });

class TextDecoder {
  decode(bytes) {
    if (bytes === undefined) return '';
    return utf8Text(isView(bytes) ? bytes : new BaseBytes(bytes));
  }
}
defineProperty(TextDecoder.prototype, 'encoding', { value: 'utf-8' });

hidden(G, 'Buffer', Buffer);
hidden(G, 'TextEncoder', TextEncoder);
hidden(G, 'TextDecoder', TextDecoder);
hidden(G, 'btoa', (text) => base64Text(latinBytes(BaseString(text))));
hidden(G, 'atob', (text) => latinText(base64Bytes(BaseString(text))));
hidden(G, 'structuredClone', (value) => clone(value, new Map()));

/** The error classes that a clone keeps, by name. */
const ERRORS = {
  __proto__: null,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
};

const clone = (value, seen) => {
  if (typeof value === 'function' || typeof value === 'symbol') {
    const error = new BaseError(`${BaseString(value)} could not be cloned.`);
    error.name = 'DataCloneError';
    throw error;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (copy) => {
    seen.set(value, copy);
    return copy;
  };
  if (value instanceof Date) return keep(new Date(+value));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof BaseBuffer) return keep(value.slice(0));
  if (isView(value)) {
    const Kind =
      value instanceof BaseBytes ? BaseBytes : /** @type {typeof Uint8Array} */ (value.constructor);
    const { byteOffset, byteLength } = value;
    return keep(new Kind(value.buffer.slice(byteOffset, byteOffset + byteLength)));
  }
  if (value instanceof BaseError) {
    const copy = keep(new (ERRORS[value.name] ?? BaseError)(value.message));
    copy.stack = value.stack;
    if ('cause' in value) hidden(copy, 'cause', clone(value.cause, seen));
    return copy;
  }
  if (value instanceof Map) {
    const copy = keep(new Map());
    value.forEach((item, key) => {
      copy.set(clone(key, seen), clone(item, seen));
    });
    return copy;
  }
  if (value instanceof Set) {
    const copy = keep(new Set());
    value.forEach((item) => {
      copy.add(clone(item, seen));
    });
    return copy;
  }
  const copy = keep(Array.isArray(value) ? [] : {});
  for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
  return copy;
};
