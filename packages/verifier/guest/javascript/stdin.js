/**
 * Standard input in all ways in which programs read it. They share one text and one position: whole
 * (`readFileSync(0)`), in chunks (`process.stdin`), by line (readline, `prompt`).
 */
import { Buffer } from './bytes.js';
import { writeOutput } from './output.js';
import { BasePromise, BaseString, G, indexOf, min, push, slice } from './primordials.js';
import { setTimeout } from './timers.js';
import { hidden } from './world.js';

export const standardInput = { text: '', at: 0 };

/** The rest of the input as bytes after a `readSync`, until a program reads text again. */
let inputBytes;
let inputBytesAt = 0;
const backToText = () => {
  if (inputBytes === undefined) return;
  standardInput.text = Buffer.from(inputBytes.subarray(inputBytesAt)).toString();
  standardInput.at = 0;
  inputBytes = undefined;
};

const takeAll = () => {
  backToText();
  const rest = slice(standardInput.text, standardInput.at);
  standardInput.at = standardInput.text.length;
  return rest;
};

/** The next line without its line end, undefined at the end of the input. */
const takeLine = () => {
  backToText();
  const { text, at } = standardInput;
  if (at >= text.length) return undefined;
  const end = indexOf(text, '\n', at);
  standardInput.at = end < 0 ? text.length : end + 1;
  const line = slice(text, at, end < 0 ? text.length : end);
  return line[line.length - 1] === '\r' ? slice(line, 0, -1) : line;
};

/** `fs.readFileSync(0)`: the rest of the input, as text or as a Buffer. */
export const readAllInput = (encoding) => {
  const text = takeAll();
  return typeof encoding === 'string' && encoding !== 'buffer' ? text : Buffer.from(text);
};

/** `fs.readSync(0, buffer)`: as many bytes as fit. `where` is an offset, or an object with offset and length. */
export const readInputInto = (buffer, where, most) => {
  const options = typeof where === 'object' && where !== null ? where : undefined;
  const offset = (options ? options.offset : where) ?? 0;
  const length = (options ? options.length : most) ?? buffer.length - offset;
  if (inputBytes === undefined) {
    inputBytes = Buffer.from(takeAll());
    inputBytesAt = 0;
  }
  const count = min(inputBytes.length - inputBytesAt, length);
  for (let i = 0; i < count; i++) buffer[offset + i] = inputBytes[inputBytesAt + i];
  inputBytesAt += count;
  return count;
};

export class EventEmitter {
  #listeners = new Map();
  #add(name, listener, isFirst, isOnce) {
    const call = (...values) => {
      this.off(name, listener);
      return listener.apply(this, values);
    };
    const entry = { listener, call: isOnce ? call : listener };
    const list = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, isFirst ? [entry, ...list] : [...list, entry]);
    // @ts-expect-error: subclasses may define this hook
    this.listening?.(name);
    return this;
  }
  on(name, listener) {
    return this.#add(name, listener, false, false);
  }
  once(name, listener) {
    return this.#add(name, listener, false, true);
  }
  prependListener(name, listener) {
    return this.#add(name, listener, true, false);
  }
  prependOnceListener(name, listener) {
    return this.#add(name, listener, true, true);
  }
  addListener(name, listener) {
    return this.on(name, listener);
  }
  off(name, listener) {
    const list = this.#listeners.get(name) ?? [];
    const index = list.findLastIndex((entry) => entry.listener === listener);
    if (index < 0) return this;
    if (list.length === 1) this.#listeners.delete(name);
    else this.#listeners.set(name, list.toSpliced(index, 1));
    return this;
  }
  removeListener(name, listener) {
    return this.off(name, listener);
  }
  removeAllListeners(name) {
    if (name === undefined) this.#listeners.clear();
    else this.#listeners.delete(name);
    return this;
  }
  listenerCount(name) {
    return this.#listeners.get(name)?.length ?? 0;
  }
  emit(name, ...values) {
    const list = this.#listeners.get(name) ?? [];
    if (name === 'error' && list.length === 0) throw values[0];
    for (const { call } of list) call.apply(this, values);
    return list.length > 0;
  }
  setMaxListeners() {
    return this;
  }
  eventNames() {
    return [...this.#listeners.keys()];
  }
  listeners(name) {
    return (this.#listeners.get(name) ?? []).map(({ listener }) => listener);
  }
}
EventEmitter.EventEmitter = EventEmitter;

class Stdin extends EventEmitter {
  fd = 0;
  isTTY = false;
  readable = true;
  #started = false;
  #text = false;
  #chunk;

  listening(name) {
    if (this.#started || !['data', 'end', 'readable', 'close'].includes(name)) return;
    this.#started = true;
    setTimeout(() => this.#flow(), 0);
  }
  #flow() {
    const text = takeAll();
    this.#chunk = text === '' ? null : this.#shape(text);
    if (text !== '') this.emit('data', this.#chunk);
    this.emit('readable');
    this.#chunk = null;
    this.emit('readable');
    this.emit('end');
    this.emit('close');
  }
  #shape(text) {
    return this.#text ? text : Buffer.from(text);
  }
  read() {
    const chunk = this.#chunk === undefined ? this.#shape(takeAll()) : this.#chunk;
    this.#chunk = null;
    return chunk;
  }
  setEncoding() {
    this.#text = true;
    return this;
  }
  resume() {
    return this;
  }
  pause() {
    return this;
  }
  unref() {
    return this;
  }
  ref() {
    return this;
  }
  destroy() {
    return this;
  }
  pipe(target) {
    this.on('data', (chunk) => target.write(chunk));
    return target;
  }
  async *[Symbol.asyncIterator]() {
    const text = takeAll();
    if (text !== '') yield this.#shape(text);
  }
}
export const stdin = new Stdin();

/** A readline interface. A line goes to an open question, else to the listeners, else it waits. */
class Interface extends EventEmitter {
  #questions = [];
  #started = false;
  #closed = false;
  #output;
  terminal = false;
  line = '';

  constructor(options, output = options?.output) {
    super();
    this.#output = output;
  }
  listening(name) {
    if (name === 'line' || name === 'close') this.#start();
  }
  #start() {
    if (this.#started) return;
    this.#started = true;
    setTimeout(() => this.#pump(), 0);
  }
  #pump() {
    this.#started = false;
    if (this.#closed) return;
    if (this.#questions.length === 0) {
      if (this.listenerCount('line') === 0 && this.listenerCount('close') === 0) return;
      if (!this.#emitLines()) return this.close();
    } else {
      const line = takeLine();
      if (line === undefined) return this.close();
      this.#questions.shift()(line);
    }
    this.#start();
  }
  /**
   * Emits all lines at once, as Node does for a chunk, also after `close()`. Returns true if a question waits for a
   * line.
   */
  #emitLines() {
    while (this.#questions.length === 0) {
      const line = takeLine();
      if (line === undefined) return false;
      this.emit('line', line);
    }
    return true;
  }
  question(query, options, callback) {
    this.#output?.write(BaseString(query));
    push(this.#questions, typeof options === 'function' ? options : callback);
    this.#start();
  }
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.emit('close');
  }
  prompt() {}
  setPrompt() {}
  write() {}
  pause() {
    return this;
  }
  resume() {
    return this;
  }
  async *[Symbol.asyncIterator]() {
    for (let line = takeLine(); line !== undefined && !this.#closed; line = takeLine()) yield line;
  }
}

class PromiseInterface extends Interface {
  question(query) {
    return new BasePromise((resolve) => super.question(query, resolve));
  }
}

const interfaceOf =
  (Kind) =>
  (...options) =>
    new Kind(...options);
export const readlinePromises = {
  createInterface: interfaceOf(PromiseInterface),
  Interface: PromiseInterface,
};
export const readline = {
  createInterface: interfaceOf(Interface),
  Interface,
  promises: readlinePromises,
  clearLine: () => true,
  cursorTo: () => true,
};

const promptLine = (question) => {
  if (question !== undefined) writeOutput(BaseString(question));
  return takeLine() ?? null;
};
hidden(G, 'prompt', promptLine);
hidden(G, 'readline', () => takeLine() ?? null);
