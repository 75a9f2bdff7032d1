/** The module `string_decoder`: text from chunks of bytes, which may end inside a character. */
import { Buffer } from './bytes.js';

/** How many bytes at the end are the start of an incomplete UTF-8 character. */
const incompleteBytes = (bytes) => {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) ? back : 0;
  }
  return 0;
};

export class StringDecoder {
  #held = Buffer.alloc(0);
  constructor(encoding = 'utf8') {
    this.encoding = encoding;
  }
  write(piece) {
    const bytes = Buffer.concat([this.#held, piece]);
    const keep = this.#unfinished(bytes);
    this.#held = bytes.subarray(bytes.length - keep);
    // @ts-expect-error: a part of a Buffer is a Buffer
    return bytes.subarray(0, bytes.length - keep).toString(this.encoding);
  }
  end(piece = []) {
    const text = this.write(piece) + this.#held.toString(this.encoding);
    this.#held = Buffer.alloc(0);
    return text;
  }
  #unfinished(bytes) {
    if (/^utf-?8$/i.test(this.encoding)) return incompleteBytes(bytes);
    if (/^base64/i.test(this.encoding)) return bytes.length % 3;
    return /^(utf16le|ucs2)$/i.test(this.encoding) ? bytes.length % 2 : 0;
  }
}
