/**
 * Guest, part 3: what the answer prints, capped, and the console.
 */
import { formatWithPlaceholders, inspect } from './inspect.js';
import { BaseString, G, join, push, repeat, replace } from './primordials.js';
import { tableText } from './table.js';
import { hidden } from './world.js';

/** Thrown by identity: an answer cannot make one, so it cannot pretend to have hit a limit. */
export const OUTPUT_LIMIT = { limit: 'output' };
/** Thrown by `process.exit`, for what it interrupts. Whoever catches it has not kept the program alive. */
export const EXIT = { exit: true };
/** What `process.exit` was called with, as text; nothing counts that happens after that. */
export const exited = { code: undefined };

export const printed = { parts: [], length: 0, limit: 1 << 20 };
/** Standard error. Its limit is 0, which keeps nothing, unless somebody will read it. */
export const complaints = { parts: [], length: 0, limit: 0 };

const addTo = (stream, value) => {
  if (exited.code !== undefined) return;
  const text = typeof value === 'string' ? value : BaseString(value);
  if (stream.length + text.length > stream.limit) {
    stream.length = stream.limit + 1;
    throw OUTPUT_LIMIT;
  }
  stream.length += text.length;
  push(stream.parts, text);
};

/** Adds to standard output; throws {@link OUTPUT_LIMIT} past the cap, again and again. */
export const emit = (value) => addTo(printed, value);

/** Adds to standard error, where it is kept. */
export const complain = (value) => {
  if (complaints.limit > 0) addTo(complaints, value);
};

/** All of standard output so far. */
export const stdoutText = () => join(printed.parts, '');
/** All of standard error so far. */
export const stderrText = () => join(complaints.parts, '');

const nothing = () => undefined;
let indent = '';
const indented = (text) =>
  indent === '' ? `${text}\n` : `${indent}${replace(text, /\n/g, `\n${indent}`)}\n`;
const log = (...values) => emit(indented(formatWithPlaceholders(values)));
const warn = (...values) => {
  if (complaints.limit > 0) addTo(complaints, indented(formatWithPlaceholders(values)));
};
const counts = {};

export const guestConsole = {
  log,
  info: log,
  debug: log,
  dir: (value, options) => emit(indented(inspect(value, { ...options, customInspect: false }))),
  table: (value, columns) => log(tableText(value, columns)),
  error: warn,
  warn,
  trace: (...values) => warn('Trace:', ...values),
  time: nothing,
  timeEnd: nothing,
  timeLog: nothing,
  clear: nothing,
  assert: nothing,
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
