/** What a program prints, up to a limit, and the console. */
import { formatWithPlaceholders, inspect } from './inspect.js';
import { BaseString, G, join, push, repeat, replace } from './primordials.js';
import { tableText } from './table.js';
import { hidden } from './world.js';

/** Thrown and recognized by identity: a program cannot make one, so it cannot pretend to have reached the limit. */
export const OUTPUT_LIMIT = { limit: 'output' };
/** Thrown by `process.exit` to interrupt the program. Catching it does not keep the program alive. */
export const EXIT = { exit: true };
/** The argument of `process.exit` as text. Nothing that happens after that counts. */
export const exited = { code: undefined };

/** Standard output. */
export const printed = { parts: [], length: 0, limit: 1 << 20 };
/** Standard error. A limit of 0 keeps nothing. */
export const errorOutput = { parts: [], length: 0, limit: 0 };

const append = (stream, value) => {
  if (exited.code !== undefined) return;
  const text = typeof value === 'string' ? value : BaseString(value);
  if (stream.length + text.length > stream.limit) {
    stream.length = stream.limit + 1;
    throw OUTPUT_LIMIT;
  }
  stream.length += text.length;
  push(stream.parts, text);
};

/** Writes to standard output. Above the limit every call throws {@link OUTPUT_LIMIT}. */
export const writeOutput = (value) => append(printed, value);

/** Writes to standard error, if it is kept. */
export const writeError = (value) => {
  if (errorOutput.limit > 0) append(errorOutput, value);
};

/** All of standard output so far. */
export const stdoutText = () => join(printed.parts, '');
/** All of standard error so far. */
export const stderrText = () => join(errorOutput.parts, '');

const doNothing = () => undefined;
let indent = '';
const indentLines = (text) =>
  indent === '' ? `${text}\n` : `${indent}${replace(text, /\n/g, `\n${indent}`)}\n`;
const log = (...values) => writeOutput(indentLines(formatWithPlaceholders(values)));
const warn = (...values) => {
  if (errorOutput.limit > 0) append(errorOutput, indentLines(formatWithPlaceholders(values)));
};
const counts = {};

export const guestConsole = {
  log,
  info: log,
  debug: log,
  dir: (value, options) =>
    writeOutput(indentLines(inspect(value, { ...options, customInspect: false }))),
  table: (value, columns) => log(tableText(value, columns)),
  error: warn,
  warn,
  trace: (...values) => warn('Trace:', ...values),
  time: doNothing,
  timeEnd: doNothing,
  timeLog: doNothing,
  clear: doNothing,
  assert: doNothing,
  count: (label = 'default') => {
    counts[label] = (counts[label] ?? 0) + 1;
    log(`${label}: ${counts[label]}`);
  },
  countReset: (label = 'default') => {
    counts[label] = 0;
  },
  group: (...values) => {
    if (values.length > 0) log(...values);
    indent += '  ';
  },
  groupEnd: () => {
    indent = repeat('  ', (indent.length - 2) / 2 || 0);
  },
};
hidden(G, 'console', guestConsole);
hidden(G, 'print', log);
