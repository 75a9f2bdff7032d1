/** `process`, and the modules of Node that work without an operating system. */
import { assert } from './assert.js';
import { Buffer } from './bytes.js';
import { deepEqual } from './deep-equal.js';
import { formatWithPlaceholders, inspect } from './inspect.js';
import { fileName, givenFile, givenFiles, makers, refuse } from './modules.js';
import { EXIT, exited, writeError, writeOutput } from './output.js';
import { path } from './path.js';
import {
  BaseBigInt,
  BaseError,
  BasePromise,
  BaseString,
  defineProperty,
  floor,
  G,
  hasOwn,
} from './primordials.js';
import {
  EventEmitter,
  readAllInput,
  readInputInto,
  readline,
  readlinePromises,
  stdin,
} from './stdin.js';
import { StringDecoder } from './string-decoder.js';
import { clear, nextTick, setImmediate, setInterval, setTimeout } from './timers.js';
import { callbackify, promisify, types, wait } from './util.js';
import { clock, hidden, passTime, performance } from './world.js';

const ignoreCall = () => undefined;

class Output extends EventEmitter {
  isTTY = false;
  columns = 80;
  #write;
  constructor(fd, write) {
    super();
    this.fd = fd;
    this.#write = write;
  }
  write(chunk, encoding, callback) {
    this.#write(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') nextTick(done);
    return true;
  }
  end(chunk) {
    if (chunk !== undefined) this.write(chunk);
    return this;
  }
}

const uptime = () => (passTime() - clock.startMs) / 1000;
const uptimeNs = () => floor(uptime() * 1e9);
const hrtime = (before) => {
  const ns = uptimeNs() - (before ? before[0] * 1e9 + before[1] : 0);
  return [floor(ns / 1e9), ns % 1e9];
};
hrtime.bigint = () => BaseBigInt(uptimeNs());

class GuestProcess extends EventEmitter {
  stdin = stdin;
  stdout = new Output(1, writeOutput);
  stderr = new Output(2, writeError);
  argv = ['node', '/answer.js'];
  argv0 = 'node';
  execArgv = [];
  execPath = '/node';
  env = {};
  platform = 'linux';
  arch = 'x64';
  pid = 1;
  version = 'v24.0.0';
  versions = { node: '24.0.0' };
  release = { name: 'node' };
  hrtime = hrtime;
  exit(code) {
    if (exited.code === undefined) {
      guestProcess.exitCode = code ?? guestProcess.exitCode;
      leave();
      exited.code = BaseString(guestProcess.exitCode ?? 0);
    }
    throw EXIT;
  }
  abort() {
    guestProcess.exit(134);
  }
  nextTick(action, ...values) {
    nextTick(action, ...values);
  }
  cwd() {
    return '/';
  }
  uptime() {
    return uptime();
  }
  memoryUsage() {
    return { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 };
  }
  cpuUsage() {
    return { user: 0, system: 0 };
  }
  emitWarning() {}
  kill() {
    refuse('process.kill');
  }
  binding() {
    refuse('process.binding');
  }
  dlopen() {
    refuse('process.dlopen');
  }
}
/** @type {GuestProcess & { exitCode?: unknown }} */
export const guestProcess = new GuestProcess();

let isLeaving = false;
/** Calls the listeners of `exit`, once. */
export const leave = () => {
  if (isLeaving) return;
  isLeaving = true;
  guestProcess.emit('exit', guestProcess.exitCode ?? 0);
};
/**
 * `everSet`: whether a code other than 0 was ever set. Tests report a failure this way, and a program cannot take it
 * back.
 */
export const exitCode = { now: undefined, everSet: false };
defineProperty(guestProcess, 'exitCode', {
  get: () => exitCode.now,
  set: (code) => {
    exitCode.now = code;
    if (code !== undefined && code !== 0 && code !== '0') exitCode.everSet = true;
  },
  enumerable: true,
});
hidden(G, 'process', guestProcess);

const noSuchFile = (path) => {
  const error = new BaseError(`ENOENT: no such file or directory, open '${BaseString(path)}'`);
  error.code = 'ENOENT';
  throw error;
};
const isInput = (path) => path === 0 || path === '/dev/stdin' || path === '/proc/self/fd/0';
const isOutput = (path) => path === 1 || path === '/dev/stdout';
const isErrorOutput = (path) => path === 2 || path === '/dev/stderr';
const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding);

const readGiven = (path, encoding) => {
  const bytes = typeof path === 'string' ? givenFile(path) : undefined;
  if (bytes === undefined) return noSuchFile(path);
  return typeof encoding === 'string' && encoding !== 'buffer' ? bytes.toString(encoding) : bytes;
};

const fs = {
  readFileSync: (path, options) =>
    (isInput(path) ? readAllInput : (encoding) => readGiven(path, encoding))(encodingOf(options)),
  readSync: (fd, buffer, offset, length) =>
    isInput(fd) ? readInputInto(buffer, offset, length) : noSuchFile(fd),
  openSync: (path) => (isInput(path) ? 0 : isOutput(path) ? 1 : noSuchFile(path)),
  closeSync: ignoreCall,
  fstatSync: () => ({ size: 0, isFile: () => false }),
  existsSync: (path) =>
    isInput(path) || (typeof path === 'string' && hasOwn(givenFiles, fileName(path))),
  writeFileSync: (path, text) => {
    if (isOutput(path)) writeOutput(BaseString(text));
    else if (isErrorOutput(path)) writeError(text);
    else refuse('writing a file');
  },
  writeSync: (fd, text) => {
    const write = isOutput(fd) ? writeOutput : isErrorOutput(fd) ? writeError : ignoreCall;
    write(typeof text === 'string' ? text : Buffer.from(text).toString());
    return text.length;
  },
  appendFileSync: (path, text) => fs.writeFileSync(path, text),
  createReadStream: (path, options) =>
    isInput(path) || isInput(options?.fd) ? stdin : noSuchFile(path),
  createWriteStream: (path) => (isOutput(path) ? guestProcess.stdout : refuse('writing a file')),
  readFile: (path, options, callback) => {
    const done = typeof options === 'function' ? options : callback;
    const read = () => fs.readFileSync(path, typeof options === 'function' ? undefined : options);
    setTimeout(() => settleWith(done, read), 0);
  },
  constants: {},
};
const settleWith = (done, read) => {
  let value;
  try {
    value = read();
  } catch (error) {
    return done(error);
  }
  return done(null, value);
};
const promised =
  (action) =>
  async (...values) =>
    action(...values);
fs.promises = { readFile: promised(fs.readFileSync), writeFile: promised(fs.writeFileSync) };
for (const name of [
  'unlinkSync',
  'mkdirSync',
  'rmSync',
  'renameSync',
  'symlinkSync',
  'chmodSync',
]) {
  fs[name] = () => refuse(`fs.${name}`);
}
for (const name of ['readdirSync', 'statSync', 'lstatSync', 'realpathSync', 'readlinkSync']) {
  fs[name] = noSuchFile;
}

const util = {
  inspect: Object.assign((value, options) => inspect(value, options), {
    custom: Symbol.for('nodejs.util.inspect.custom'),
  }),
  format: (...values) => formatWithPlaceholders(values),
  promisify,
  callbackify,
  deprecate: (action) => action,
  isDeepStrictEqual: (a, b) => deepEqual(a, b, true),
  inherits: (Child, Parent) => {
    Child.super_ = Parent;
    Object.setPrototypeOf(Child.prototype, Parent.prototype);
  },
  types,
  TextDecoder: G.TextDecoder,
  TextEncoder: G.TextEncoder,
};
const once = (emitter, name) =>
  new BasePromise((resolve, reject) => {
    const fail = (error) => {
      emitter.off(name, bring);
      reject(error);
    };
    const bring = (...values) => {
      emitter.off('error', fail);
      resolve(values);
    };
    emitter.once(name, bring);
    if (name !== 'error') emitter.once('error', fail);
  });
Object.assign(EventEmitter, { once });

Object.assign(makers, {
  assert: () => assert,
  'assert/strict': () => assert.strict,
  buffer: () => ({ Buffer }),
  console: () => G.console,
  events: () => EventEmitter,
  fs: () => fs,
  'fs/promises': () => fs.promises,
  os: () => ({ EOL: '\n', cpus: () => [], platform: () => 'linux', tmpdir: () => '/tmp' }),
  path: () => path,
  perf_hooks: () => ({ performance }),
  process: () => guestProcess,
  readline: () => readline,
  'readline/promises': () => readlinePromises,
  string_decoder: () => ({ StringDecoder }),
  timers: () => ({
    setTimeout,
    setInterval,
    setImmediate,
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  }),
  'timers/promises': () => ({
    setTimeout: wait,
    setImmediate: (value) => new BasePromise((resolve) => setImmediate(resolve, value)),
  }),
  url: () => ({ URL: G.URL, URLSearchParams: G.URLSearchParams }),
  util: () => util,
});
