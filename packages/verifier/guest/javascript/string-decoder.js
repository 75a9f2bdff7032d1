/** Guest: the module `string_decoder`: text out of pieces of bytes, which may end within a letter. */
import { Buffer } from './bytes.js';

/** How many bytes at the end of UTF-8 are the beginning of a letter that goes on. */
const begunLetter = (bytes) => {
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
    return bytes.subarray(0, bytes.length - keep).toString(this.encoding);
  }
  end(piece = []) {
    const text = this.write(piece) + this.#held.toString(this.encoding);
    this.#held = Buffer.alloc(0);
    return text;
  }
  #unfinished(bytes) {
    if (/^utf-?8$/i.test(this.encoding)) return begunLetter(bytes);
    if (/^base64/i.test(this.encoding)) return bytes.length % 3;
    return /^(utf16le|ucs2)$/i.test(this.encoding) ? bytes.length % 2 : 0;
  }
}
