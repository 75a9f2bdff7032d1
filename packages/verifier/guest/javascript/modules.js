/**
 * `require`, and the modules that a program may load. Every other module of Node is refused with an error that the cell
 * reports as a violation.
 */
import { Buffer } from './bytes.js';
import {
  apply,
  BaseError,
  BaseString,
  G,
  hasOwn,
  indirectEval,
  join,
  jsonParse,
  push,
  replace,
  slice,
  split,
  startsWith,
} from './primordials.js';
import { hidden } from './world.js';

const violations = new WeakSet();
const addViolation = violations.add.bind(violations);
const hasViolation = violations.has.bind(violations);

/** Whether an error was made by {@link refuse}. By identity: a program cannot make one itself. */
export const isViolation = (error) =>
  typeof error === 'object' && error !== null && hasViolation(error);

/** Throws the error for something that no program may use. */
export const refuse = (what) => {
  const error = new BaseError(`${what} is not available in the sandbox`);
  error.code = 'ERR_SANDBOX';
  addViolation(error);
  throw error;
};

/** A function for each module that makes it at the first `require`, by name without `node:`. */
export const makers = Object.create(null);
const made = Object.create(null);

const FORBIDDEN = Object.create(null);
for (const name of [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'http',
  'http2',
  'https',
  'inspector',
  'module',
  'net',
  'repl',
  'tls',
  'v8',
  'vm',
  'wasi',
  'worker_threads',
]) {
  FORBIDDEN[name] = true;
}

export const guestModule = { exports: {}, id: '.', filename: '/answer.js', loaded: false };

/** Adds a library from the text of a CommonJS module. */
export const addLibrary = (name, source) => {
  makers[name] = () => {
    const library = { exports: {} };
    const body = indirectEval(`(function (exports, module, require) {${source}\n})`);
    apply(body, library.exports, [library.exports, library, guestRequire]);
    return library.exports;
  };
};

/** Files beside the program: Base64 by path from the root. */
export const givenFiles = Object.create(null);

/** The path of a file from the root, without `.` and `..`. */
export const fileName = (path) => {
  const parts = [];
  const steps = split(BaseString(path), '/');
  for (let i = 0; i < steps.length; i++) {
    if (steps[i] === '..') parts.length -= parts.length > 0 ? 1 : 0;
    else if (steps[i] !== '' && steps[i] !== '.') push(parts, steps[i]);
  }
  return join(parts, '/');
};

/** The bytes of a file beside the program, undefined if there is none. */
export const givenFile = (path) => {
  const name = fileName(path);
  return hasOwn(givenFiles, name) ? Buffer.from(givenFiles[name], 'base64') : undefined;
};

const ENDINGS = ['', '.js', '.json', '/index.js'];

/** The name in `makers` for a required path. Adds the module if the path names a file beside the program. */
const fileModule = (path) => {
  for (let i = 0; i < ENDINGS.length; i++) {
    const name = `${fileName(path)}${ENDINGS[i]}`;
    if (!hasOwn(givenFiles, name)) continue;
    const source = givenFile(name).toString();
    if (slice(name, -5) === '.json') makers[`/${name}`] = () => jsonParse(source);
    else if (!hasOwn(makers, `/${name}`)) addLibrary(`/${name}`, source);
    return `/${name}`;
  }
  return path;
};

const isPath = (request) =>
  startsWith(request, './') || startsWith(request, '../') || startsWith(request, '/');

export const guestRequire = (request) => {
  const specifier = BaseString(request);
  const name = isPath(specifier) ? fileModule(specifier) : replace(specifier, /^node:/, '');
  if (hasOwn(made, name)) return made[name];
  if (hasOwn(makers, name)) {
    made[name] = makers[name]();
    return made[name];
  }
  if (FORBIDDEN[name]) refuse(`the module '${name}'`);
  const error = new BaseError(`Cannot find module '${name}'`);
  error.code = 'MODULE_NOT_FOUND';
  throw error;
};
guestRequire.main = guestModule;

hidden(G, 'require', guestRequire);
hidden(G, 'module', guestModule);
hidden(G, 'exports', guestModule.exports);
hidden(G, 'global', G);
