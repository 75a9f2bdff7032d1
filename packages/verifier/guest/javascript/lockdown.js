/**
 * Prepares a realm for an assert test, before the program runs. The test program shares the realm with the program, so
 * nothing on which it depends may change: built-ins and modules become fixed, and whatever would show the tests' own
 * values is removed. While it loads, a program may add methods to built-ins, as polyfills do. Before the tests start,
 * everything is closed. `Object.prototype` is closed from the start: every options object and every empty record would
 * read a name on it.
 */
import { assert } from './assert.js';
import { guestModule, guestRequire, makers } from './modules.js';
import { guestProcess } from './node.js';
import { guestConsole } from './output.js';
import {
  createObject,
  defineProperty,
  freeze,
  G,
  getOwnPropertyDescriptor,
  getOwnPropertyNames,
  getPrototypeOf,
  hasOwn,
  ownKeys,
  preventExtensions,
  push,
  setPrototypeOf,
} from './primordials.js';

/** Globals that a program may still declare or assign. */
const FREE_GLOBALS = new Set(['module', 'exports', 'name', 'print', 'prompt', 'readline']);

/** What programs usually change: their exports, the process and the console. */
const CHANGEABLE = [G, guestModule, guestModule.exports, guestProcess, guestConsole];

const isObjectLike = (value) =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

const globals = () => getOwnPropertyNames(G).map((name) => getOwnPropertyDescriptor(G, name).value);

/** Built-in objects that no name refers to, but that a loop or a call reaches. */
const unnamed = () => {
  const segments = new Intl.Segmenter().segment('');
  return [
    ...[function* () {}, async () => undefined, async function* () {}].map(getPrototypeOf),
    ...[[].values(), ''[Symbol.iterator](), new Map().entries(), new Set().entries()],
    ...[''.matchAll(/x/g), [].values().map((x) => x)],
    // @ts-expect-error: it is never iterated; only its prototype is needed
    Iterator.from({ next() {} }),
    ...[segments, segments[Symbol.iterator]()],
  ];
};

/** Built-ins whose subclasses may have own properties of any name: programs extend them and assign. */
const INHERITED = new Set([
  ...[Object, Function, Array, Map, Set, WeakMap, WeakSet, Promise, Date, Error].map(
    ({ prototype }) => prototype,
  ),
  ...[Promise, getPrototypeOf(getPrototypeOf(guestProcess))],
]);

/** Built-ins to which programs add methods. */
const EXTENSIBLE = [Object, Math];
for (const Base of [Array, String, Number, Boolean, Function, Map, Set, Date, Promise, RegExp]) {
  push(EXTENSIBLE, Base, Base.prototype);
}

/** Names on other built-ins that programs override by assignment. A fixed property would prevent that. */
const ASSIGNABLE = new Set([
  'constructor',
  'toJSON',
  'toLocaleString',
  'toString',
  'valueOf',
  'message',
  'name',
  'next',
]);

/** An accessor that behaves like a plain value, but an assignment to an inheriting object defines its own property. */
const assignable = (owner, key, value) => ({
  get: () => value,
  set(given) {
    if (this === owner || !isObjectLike(this)) return;
    if (hasOwn(this, key)) this[key] = given;
    else
      defineProperty(this, key, {
        value: given,
        writable: true,
        enumerable: true,
        configurable: true,
      });
  },
  enumerable: false,
  configurable: false,
});

const FIXED = { writable: false, configurable: false };
const FIXED_ACCESSOR = { configurable: false };

/** Fixes every object that can be reached from `roots` by names and prototypes. Those in `open` accept new names. */
const fixAll = (roots, open) => {
  const found = new Set(CHANGEABLE);
  const waiting = [];
  const add = (value) => {
    if (!isObjectLike(value) || found.has(value)) return;
    found.add(value);
    push(waiting, value);
  };
  const visit = (owner, key, isOpen, isInherited) => {
    const { value, writable, configurable, get, set } = getOwnPropertyDescriptor(owner, key);
    add(value);
    add(get);
    add(set);
    if (!configurable) return;
    const isField = writable && typeof key === 'string';
    if (isField && (isInherited || ASSIGNABLE.has(key))) {
      defineProperty(owner, key, assignable(owner, key, value));
    } else if (isOpen) {
      defineProperty(owner, key, get || set ? FIXED_ACCESSOR : FIXED);
    }
  };
  for (const root of roots) add(root);
  while (waiting.length > 0) {
    const owner = waiting.pop();
    add(getPrototypeOf(owner));
    const keys = ownKeys(owner);
    const isOpen = open.has(owner);
    // Most methods only have a name and a length.
    if (typeof owner !== 'function' || keys.length > 2 || isOpen) {
      const isInherited = INHERITED.has(owner);
      for (let i = 0; i < keys.length; i++) visit(owner, keys[i], isOpen, isInherited);
    }
    if (!isOpen) freeze(owner);
  }
};

/** What only the tests may replace. A program that could would choose their random inputs, or their time. */
export const replaceable = { random: Math.random, now: G.Date.now };

const readReplaceable = (owner, key) =>
  defineProperty(owner, key, { get: () => replaceable[key], set() {}, configurable: false });

/** The built-ins to which a program may add methods while it loads, with their keys and prototypes before. */
let extensible = [];

export const lockdown = () => {
  for (const key of ownKeys(RegExp)) {
    // `$1`, `input`, `lastMatch` show the last match, also one of the tests
    if (typeof key === 'string' && getOwnPropertyDescriptor(RegExp, key).get) delete RegExp[key];
  }
  guestConsole.assert = assert;
  defineProperty(guestConsole, 'assert', { writable: false, configurable: false });
  const sealed = 'function () { [source hidden] }';
  defineProperty(Function.prototype, 'toString', { value: () => sealed });
  // Call sites would show the functions on the stack and their arguments.
  defineProperty(Error, 'prepareStackTrace', { get: () => undefined, set() {} });
  readReplaceable(Math, 'random');
  readReplaceable(Date, 'now');
  const open = new Set(EXTENSIBLE);
  const { hrtime } = guestProcess;
  const modules = ownKeys(makers).map(guestRequire);
  const bases = [getPrototypeOf(guestProcess), hrtime, ...Object.values(guestConsole)];
  fixAll([...globals(), ...unnamed(), ...modules, ...bases], open);
  preventExtensions(guestProcess);
  defineProperty(guestProcess, 'hrtime', { writable: false, configurable: false });
  for (const name of getOwnPropertyNames(G)) {
    const { configurable } = getOwnPropertyDescriptor(G, name);
    if (configurable && !FREE_GLOBALS.has(name)) {
      defineProperty(G, name, { writable: false, configurable: false });
    }
  }
  extensible = [...open].map((owner) => ({
    owner,
    keys: ownKeys(owner),
    prototype: getPrototypeOf(owner),
  }));
};

/**
 * Names that the language reads from values that may not have them. A method with such a name would change literals.
 */
const CONSULTED = createObject(null);
for (const name of [
  ...ownKeys(Object.prototype),
  ...['toJSON', 'then', 'next', 'return', 'throw', 'done', 'value', 'get', 'set', 'has', 'keys'],
  ...['size', 'length', 'prototype', 'name', 'message', 'stack', 'cause', 'raw', 'caller'],
  ...['arguments', 'enumerable', 'configurable', 'writable', 'prepareStackTrace'],
]) {
  CONSULTED[name] = true;
}

/** Only a method with a plain name may stay: an index or a symbol would appear in the tests' own values. */
const isKeptMethod = (owner, key) =>
  typeof key === 'string' &&
  /^[A-Za-z_$][\w$]*$/.test(key) &&
  CONSULTED[key] === undefined &&
  typeof getOwnPropertyDescriptor(owner, key).value === 'function';

/**
 * Ends the time for extensions. Throws if a program added something that it may not keep and that cannot be removed.
 */
export const closeBuiltIns = () => {
  for (let i = 0; i < extensible.length; i++) {
    const { owner, keys, prototype } = extensible[i];
    if (getPrototypeOf(owner) !== prototype) setPrototypeOf(owner, prototype);
    const now = ownKeys(owner);
    if (now.length > keys.length) sweep(owner, keys, now);
    preventExtensions(owner);
  }
};

/** Fixed keys cannot disappear, so all other keys were added by the program. */
const sweep = (owner, keys, now) => {
  const known = new Set(keys);
  for (let i = 0; i < now.length; i++) {
    if (!known.has(now[i]) && !isKeptMethod(owner, now[i])) delete owner[now[i]];
  }
};
