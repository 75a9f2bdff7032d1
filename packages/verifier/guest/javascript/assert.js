/** The module `assert`. */
import { deepEqual } from './deep-equal.js';
import { inspect } from './inspect.js';
import { apply, hasOwn, sameValue, slice } from './primordials.js';

class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) {
    super(message);
    this.name = 'AssertionError';
    this.code = 'ERR_ASSERTION';
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
  }
}

const failAssertion = (message, actual, expected, operator) => {
  if (message instanceof Error) throw message;
  const shown = (value) => slice(inspect(value), 0, 500);
  const text = message ?? `${shown(actual)} ${operator} ${shown(expected)}`;
  throw new AssertionError({ message: text, actual, expected, operator });
};

const check = (holds, operator) => (actual, expected, message) => {
  if (!holds(actual, expected)) failAssertion(message, actual, expected, operator);
};

/** @type {any} `Object.assign` adds the functions of the module below. */
export const assert = (value, message) => {
  if (!value) failAssertion(message, value, true, '==');
};

const isText = (value) => typeof value === 'string';

const isHeir = (Base, Kind) => Kind.prototype instanceof Base;

const matches = (error, expected) => {
  if (expected === undefined || typeof expected === 'string') return true;
  if (expected instanceof RegExp) return expected.test(`${error}`);
  if (typeof expected === 'function') {
    if (hasOwn(expected, 'prototype') && error instanceof expected) return true;
    if (expected === Error || isHeir(Error, expected)) return false;
    return apply(expected, {}, [error]) === true;
  }
  return Object.keys(expected).every((key) =>
    expected[key] instanceof RegExp
      ? expected[key].test(error[key])
      : deepEqual(error[key], expected[key], true),
  );
};

const caught = (action) => {
  try {
    action();
  } catch (error) {
    return { error };
  }
  return undefined;
};

const rejected = async (action) => {
  try {
    await (typeof action === 'function' ? action() : action);
  } catch (error) {
    return { error };
  }
  return undefined;
};

const expectThrown = (outcome, expected, message, operator) => {
  if (!outcome)
    failAssertion(typeof expected === 'string' ? expected : message, undefined, expected, operator);
  if (!matches(outcome.error, expected)) throw outcome.error;
};

Object.assign(assert, {
  AssertionError,
  ok: assert,
  fail: (message = 'Failed') => failAssertion(message, undefined, undefined, 'fail'),
  // biome-ignore lint/suspicious/noDoubleEquals: the module defines loose equality here
  equal: check((a, b) => a == b || (Number.isNaN(a) && Number.isNaN(b)), '=='),
  // biome-ignore lint/suspicious/noDoubleEquals: the module defines loose equality here
  notEqual: check((a, b) => a != b, '!='),
  strictEqual: check((a, b) => sameValue(a, b), 'strictEqual'),
  notStrictEqual: check((a, b) => !sameValue(a, b), 'notStrictEqual'),
  deepEqual: check((a, b) => deepEqual(a, b, false), 'deepEqual'),
  notDeepEqual: check((a, b) => !deepEqual(a, b, false), 'notDeepEqual'),
  deepStrictEqual: check((a, b) => deepEqual(a, b, true), 'deepStrictEqual'),
  notDeepStrictEqual: check((a, b) => !deepEqual(a, b, true), 'notDeepStrictEqual'),
  match: check((text, pattern) => isText(text) && pattern.test(text), 'match'),
  doesNotMatch: check((text, pattern) => isText(text) && !pattern.test(text), 'doesNotMatch'),
  ifError: (value) => {
    if (value !== null && value !== undefined) throw value;
  },
  throws: (action, expected, message) => expectThrown(caught(action), expected, message, 'throws'),
  doesNotThrow: (action) => {
    const outcome = caught(action);
    if (outcome) throw outcome.error;
  },
  rejects: async (action, expected, message) =>
    expectThrown(await rejected(action), expected, message, 'rejects'),
  doesNotReject: async (action) => {
    const outcome = await rejected(action);
    if (outcome) throw outcome.error;
  },
});

/** `assert.strict`: the same functions, but the loose names use the strict checks. */
const strict = (value, message) => assert(value, message);
Object.assign(strict, assert, {
  equal: assert.strictEqual,
  notEqual: assert.notStrictEqual,
  deepEqual: assert.deepStrictEqual,
  notDeepEqual: assert.notDeepStrictEqual,
});
strict.strict = strict;
assert.strict = strict;
