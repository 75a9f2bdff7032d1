/**
 * Tests as open-instruct compresses them: Base64 of zlib of a Python pickle. Reads the plain part of the
 * pickle format (texts, numbers, lists, dictionaries) and refuses all that names or calls code, so nothing
 * of it is ever run. Opcodes: `Lib/pickletools.py` of Python, protocols 2 to 5.
 */
import { inflateSync } from 'node:zlib';
import { badRequest } from '../http/problem.ts';

/** Bytes of a pickle, and values in it: compression hides how large it is. */
const LONGEST = 32 << 20;
const MOST_VALUES = 1_000_000;

/** @throws {Problem} 400 for anything else */
export function readPickledTests(encoded: string): unknown {
  let bytes: Buffer;
  try {
    bytes = inflateSync(Buffer.from(encoded, 'base64'), { maxOutputLength: LONGEST });
  } catch {
    throw badRequest('tests', 'must be a list, its JSON text, or Base64 of zlib', encoded);
  }
  try {
    return new Unpickler(bytes).read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw badRequest('tests', `is no plain pickle: ${reason}`, encoded);
  }
}

const MARK = Symbol('mark');
const decoder = new TextDecoder('utf-8', { fatal: true });

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

  /** What only arranges: protocol, frames, the memo. */
  #frame(code: number): boolean {
    switch (code) {
      case 0x80: // PROTO
        this.#take(1);
        return true;
      case 0x95: // FRAME
        this.#take(8);
        return true;
      case 0x94: // MEMOIZE
        this.#keep(this.#memo.size, this.#stack.at(-1));
        return true;
      case 0x71: // BINPUT
        this.#keep(this.#byte(), this.#stack.at(-1));
        return true;
      case 0x72: // LONG_BINPUT
        this.#keep(this.#take(4).readUInt32LE(), this.#stack.at(-1));
        return true;
      case 0x68: // BINGET
        this.#push(this.#kept(this.#byte()));
        return true;
      case 0x6a: // LONG_BINGET
        this.#push(this.#kept(this.#take(4).readUInt32LE()));
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
    if (length) this.#push(decoder.decode(this.#take(length())));
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
      case 0x8a: // LONG1: little-endian, two's complement
        return Number(signed(this.#take(this.#byte())));
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
        throw new Error(`opcode 0x${code.toString(16)} is refused`);
    }
  }

  #append(items: readonly unknown[]): void {
    const target = this.#stack.at(-1);
    if (!Array.isArray(target)) throw new Error('no list to append to');
    for (const item of items) target.push(item);
  }

  #set(pairs: readonly unknown[]): void {
    const target = this.#stack.at(-1);
    if (typeof target !== 'object' || target === null || Array.isArray(target)) {
      throw new Error('no dictionary to fill');
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
    if (at < 0) throw new Error('no mark');
    return this.#stack.splice(at).slice(1);
  }

  #push(value: unknown): void {
    this.#count();
    this.#stack.push(value);
  }

  #keep(key: number, value: unknown): void {
    this.#count();
    this.#memo.set(key, value);
  }

  /** Only texts and numbers are used again: containers within themselves would have no end. */
  #kept(key: number): unknown {
    const value = this.#memo.get(key);
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new Error('a container is used twice');
    }
    return value;
  }

  #count(): void {
    if (++this.#values > MOST_VALUES) throw new Error(`more than ${MOST_VALUES} values`);
  }

  #byte(): number {
    return this.#take(1)[0]!;
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (!(end <= this.#bytes.length)) throw new Error('it ends early');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

/** Opcodes that put something new on the stack and nothing else. */
const SIMPLE = new Map<number, () => unknown>([
  [0x5d, () => []], // EMPTY_LIST
  [0x7d, () => ({})], // EMPTY_DICT
  [0x29, () => []], // EMPTY_TUPLE
  [0x4e, () => null], // NONE
  [0x88, () => true], // NEWTRUE
  [0x89, () => false], // NEWFALSE
]);

function signed(bytes: Buffer): bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}
