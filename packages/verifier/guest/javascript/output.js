/**
 * Guest, part 3: what the answer prints, capped, and the console.
 */
import { formatWithPlaceholders, inspect } from './inspect.js';
import { BaseString, G, join, push, repeat } from './primordials.js';
import { hidden } from './world.js';

/** Thrown by identity: an answer cannot make one, so it cannot pretend to have hit a limit. */
export const OUTPUT_LIMIT = { limit: 'output' };
/** Thrown by `process.exit`. */
export const EXIT = { exit: true };

export const printed = { parts: [], length: 0, limit: 1 << 20 };

/** Adds to standard output; throws {@link OUTPUT_LIMIT} past the cap, again and again. */
export const emit = (value) => {
  const text = typeof value === 'string' ? value : BaseString(value);
  if (printed.length + text.length > printed.limit) {
    printed.length = printed.limit + 1;
    throw OUTPUT_LIMIT;
  }
  printed.length += text.length;
  push(printed.parts, text);
};

/** All of standard output so far. */
export const stdoutText = () => join(printed.parts, '');

const nothing = () => undefined;
let indent = '';
const log = (...values) => emit(`${indent}${formatWithPlaceholders(values)}\n`);
const counts = {};

export const guestConsole = {
  log,
  info: log,
  debug: log,
  dir: (value) => log(inspect(value)),
  table: (value) => log(inspect(value)),
  error: nothing,
  warn: nothing,
  trace: nothing,
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
