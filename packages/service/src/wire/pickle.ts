/**
 * Reads tests as open-instruct compresses them: Base64 of zlib of a Python pickle. Supports the plain part of the pickle
 * format (strings, numbers, lists, dictionaries) and rejects every opcode that names or calls code, so a pickle is never
 * executed. Opcodes: `Lib/pickletools.py` of Python, protocols 2 to 5.
 */
import { inflateSync } from 'node:zlib';
import { errorMessage } from '@cipo/support';
import { badRequest } from '../http/problem.ts';

/** Limits on the decompressed pickle and on its values. The size of the compressed text does not bound either. */
const MAX_BYTES = 32 << 20;
const MAX_VALUES = 1_000_000;

/** @throws {Problem} 400 if the text is not Base64 of zlib of a plain pickle */
export function readPickledTests(encoded: string): unknown {
  let bytes: Buffer;
  try {
    bytes = inflateSync(Buffer.from(encoded, 'base64'), { maxOutputLength: MAX_BYTES });
  } catch {
    throw badRequest('tests', 'must be a list, its JSON text, or Base64 of zlib', encoded);
  }
  try {
    return new Unpickler(bytes).read();
  } catch (error) {
    throw badRequest('tests', `must be a plain pickle: ${errorMessage(error)}`, encoded);
  }
}

const MARK = Symbol('mark');
const DECODER = new TextDecoder('utf-8', { fatal: true });

class Unpickler {
  readonly #bytes: Buffer;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;
  #values = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): unknown {
    for (;;) {
      const code = this.#byte();
      if (code === 0x2e) return this.#stack.pop(); // STOP
      this.#step(code);
    }
  }

  #step(code: number): void {
    const simple = SIMPLE.get(code);
    if (simple) this.#push(simple());
    else if (!this.#frame(code) && !this.#text(code) && !this.#number(code)) this.#structure(code);
  }

  /** Opcodes without a value: protocol, frames, the memo. Each of these methods returns whether it knows the opcode. */
  #frame(code: number): boolean {
    switch (code) {
      case 0x80: // PROTO
        this.#take(1);
        return true;
      case 0x95: // FRAME
        this.#take(8);
        return true;
      case 0x94: // MEMOIZE
        this.#memoize(this.#memo.size, this.#stack.at(-1));
        return true;
      case 0x71: // BINPUT
        this.#memoize(this.#byte(), this.#stack.at(-1));
        return true;
      case 0x72: // LONG_BINPUT
        this.#memoize(this.#take(4).readUInt32LE(), this.#stack.at(-1));
        return true;
      case 0x68: // BINGET
        this.#push(this.#recall(this.#byte()));
        return true;
      case 0x6a: // LONG_BINGET
        this.#push(this.#recall(this.#take(4).readUInt32LE()));
        return true;
      default:
        return false;
    }
  }

  #text(code: number): boolean {
    const length =
      code === 0x8c // SHORT_BINUNICODE
        ? () => this.#byte()
        : code === 0x58 // BINUNICODE
          ? () => this.#take(4).readUInt32LE()
          : code === 0x8d // BINUNICODE8
            ? () => Number(this.#take(8).readBigUInt64LE())
            : undefined;
    if (length) this.#push(DECODER.decode(this.#take(length())));
    return length !== undefined;
  }

  #number(code: number): boolean {
    const value = this.#numberOf(code);
    if (value !== undefined) this.#push(value);
    return value !== undefined;
  }

  #numberOf(code: number): number | undefined {
    switch (code) {
      case 0x4b: // BININT1
        return this.#byte();
      case 0x4d: // BININT2
        return this.#take(2).readUInt16LE();
      case 0x4a: // BININT
        return this.#take(4).readInt32LE();
      case 0x47: // BINFLOAT
        return this.#take(8).readDoubleBE();
      case 0x8a: // LONG1
        return Number(readSigned(this.#take(this.#byte())));
      default:
        return undefined;
    }
  }

  #structure(code: number): void {
    switch (code) {
      case 0x28: // MARK
        this.#push(MARK);
        return;
      case 0x61: // APPEND
        this.#append([this.#stack.pop()]);
        return;
      case 0x65: // APPENDS
        this.#append(this.#sinceMark());
        return;
      case 0x73: // SETITEM
        this.#set(this.#stack.splice(-2));
        return;
      case 0x75: // SETITEMS
        this.#set(this.#sinceMark());
        return;
      case 0x74: // TUPLE
        this.#push(this.#sinceMark());
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.#push(this.#stack.splice(0x84 - code));
        return;
      default:
        throw new Error(`opcode 0x${code.toString(16)} is not supported`);
    }
  }

  #append(items: readonly unknown[]): void {
    const target = this.#stack.at(-1);
    if (!Array.isArray(target)) throw new Error('expected a list to append to');
    for (const item of items) target.push(item);
  }

  #set(pairs: readonly unknown[]): void {
    const target = this.#stack.at(-1);
    if (typeof target !== 'object' || target === null || Array.isArray(target)) {
      throw new Error('expected a dictionary to add to');
    }
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const value = pairs[i + 1];
      Object.defineProperty(target, String(pairs[i]), {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }

  #sinceMark(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw new Error('expected a mark');
    return this.#stack.splice(at).slice(1);
  }

  #push(value: unknown): void {
    this.#count();
    this.#stack.push(value);
  }

  #memoize(key: number, value: unknown): void {
    this.#count();
    this.#memo.set(key, value);
  }

  /** Only strings and numbers may be recalled: a container that contains itself would have no end. */
  #recall(key: number): unknown {
    const value = this.#memo.get(key);
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new Error('a container is referenced twice');
    }
    return value;
  }

  #count(): void {
    if (++this.#values > MAX_VALUES) throw new Error(`more than ${MAX_VALUES} values`);
  }

  #byte(): number {
    return this.#take(1)[0]!;
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (!(end <= this.#bytes.length)) throw new Error('it ends too early');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

/** Opcodes that only push a new value. */
const SIMPLE = new Map<number, () => unknown>([
  [0x5d, () => []], // EMPTY_LIST
  [0x7d, () => ({})], // EMPTY_DICT
  [0x29, () => []], // EMPTY_TUPLE
  [0x4e, () => null], // NONE
  [0x88, () => true], // NEWTRUE
  [0x89, () => false], // NEWFALSE
]);

/** Little-endian two's complement. */
function readSigned(bytes: Buffer): bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}
