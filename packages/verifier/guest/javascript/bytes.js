/**
 * Guest: text as bytes. UTF-8 both ways, base64, hex, and a Buffer with what programs use of it.
 */
import {
  apply,
  BaseBytes,
  BaseString,
  charCodeAt,
  defineProperty,
  G,
  isView,
  join,
  push,
  slice,
} from './primordials.js';
import { hidden } from './world.js';

const charOf = BaseString.fromCharCode;

/** Bytes of a text as a plain list. A lone surrogate becomes U+FFFD. */
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

/** Text of UTF-8 bytes; what is not UTF-8 becomes U+FFFD. */
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
  for (let i = 0; i + 1 < text.length; i += 2) push(bytes, parseInt(slice(text, i, i + 2), 16));
  return bytes;
};

const hexText = (bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    text += `${bytes[i] < 16 ? '0' : ''}${bytes[i].toString(16)}`;
  }
  return text;
};

const bytesIn = (text, encoding) => {
  if (encoding === 'base64' || encoding === 'base64url') return base64Bytes(text);
  if (encoding === 'hex') return hexBytes(text);
  if (encoding === 'latin1' || encoding === 'binary' || encoding === 'ascii')
    return latinBytes(text);
  return utf8Bytes(text);
};

export class Buffer extends Uint8Array {
  static from(value, encoding) {
    if (typeof value === 'string') return new Buffer(bytesIn(value, encoding));
    return new Buffer(value);
  }
  static alloc(size, fill = 0) {
    return new Buffer(size).fill(fill);
  }
  static allocUnsafe(size) {
    return new Buffer(size);
  }
  static isBuffer(value) {
    return value instanceof Buffer;
  }
  static byteLength(text, encoding) {
    return typeof text === 'string' ? bytesIn(text, encoding).length : text.byteLength;
  }
  static concat(list) {
    const bytes = [];
    for (let i = 0; i < list.length; i++) {
      for (let k = 0; k < list[i].length; k++) push(bytes, list[i][k]);
    }
    return new Buffer(bytes);
  }
  toString(encoding, start = 0, end = this.length) {
    const bytes = start === 0 && end === this.length ? this : this.subarray(start, end);
    if (encoding === 'base64') return base64Text(bytes);
    if (encoding === 'hex') return hexText(bytes);
    if (encoding === 'latin1' || encoding === 'binary' || encoding === 'ascii')
      return latinText(bytes);
    return utf8Text(bytes);
  }
  toJSON() {
    return { type: 'Buffer', data: [...this] };
  }
  equals(other) {
    if (other.length !== this.length) return false;
    for (let i = 0; i < this.length; i++) if (this[i] !== other[i]) return false;
    return true;
  }
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

const clone = (value, seen) => {
  if (typeof value === 'function') throw new Error('a function could not be cloned');
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (copy) => {
    seen.set(value, copy);
    return copy;
  };
  if (value instanceof Date) return keep(new Date(+value));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (isView(value)) return keep(apply(value.slice, value, []));
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
