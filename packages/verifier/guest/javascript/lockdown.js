/**
 * Guest: what an assert test needs before the answer runs. The test program shares a realm with the
 * answer, so nothing that it leans on may be changed: built-ins and modules become fixed, and what
 * would show the tests' own values is taken away. An answer may add methods to built-ins while it
 * loads, as polyfills do; before the tests start everything is closed. `Object.prototype` is closed
 * from the beginning: any name on it is one that some option or some empty record would read.
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

/** Names of the realm that an answer may still declare or assign for itself. */
const FREE_GLOBALS = new Set(['module', 'exports', 'name', 'print', 'prompt', 'readline']);

/** What programs change as a matter of course: their exports, and the process with what it owns. */
const CHANGEABLE = [G, guestModule, guestModule.exports, guestProcess, guestConsole];

const isObjectLike = (value) =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

const globals = () => getOwnPropertyNames(G).map((name) => getOwnPropertyDescriptor(G, name).value);

/** Objects that no name leads to, but a loop or a call does. */
const unnamed = () => {
  const segments = new Intl.Segmenter().segment('');
  return [
    ...[function* () {}, async () => undefined, async function* () {}].map(getPrototypeOf),
    ...[[].values(), ''[Symbol.iterator](), new Map().entries(), new Set().entries()],
    ...[''.matchAll(/x/g), [].values().map((x) => x), Iterator.from({ next() {} })],
    ...[segments, segments[Symbol.iterator]()],
  ];
};

/** Built-ins whose heirs may have an own property of any name: programs subclass them and assign. */
const INHERITED = new Set([
  ...[Object, Function, Array, Map, Set, WeakMap, WeakSet, Promise, Date, Error].map(
    ({ prototype }) => prototype,
  ),
  ...[Promise, getPrototypeOf(getPrototypeOf(guestProcess))],
]);

/** Built-ins that programs give methods to. */
const EXTENSIBLE = [Object, Math];
for (const Base of [Array, String, Number, Boolean, Function, Map, Set, Date, Promise, RegExp]) {
  push(EXTENSIBLE, Base, Base.prototype);
}

/** Names on other built-ins that programs override by assignment, which a fixed one would stop. */
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

/** Looks like a plain value, but assigning to an heir defines the heir's own. */
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

/** Fixes every object that names and prototypes lead to from `roots`; those in `open` take new names. */
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
    // A method has but its name and its length.
    if (typeof owner !== 'function' || keys.length > 2 || isOpen) {
      const isInherited = INHERITED.has(owner);
      for (let i = 0; i < keys.length; i++) visit(owner, keys[i], isOpen, isInherited);
    }
    if (!isOpen) freeze(owner);
  }
};

/** What the tests may replace for a while. An answer that could would choose their inputs, or their time. */
export const replaceable = { random: Math.random, now: G.Date.now };

const readReplaceable = (owner, key) =>
  defineProperty(owner, key, { get: () => replaceable[key], set() {}, configurable: false });

/** What an answer may give methods to while it loads, with its keys and prototype before it does. */
let extensible = [];

export const lockdown = () => {
  for (const key of ownKeys(RegExp)) {
    // `$1`, `input`, `lastMatch`: what was matched last, in the tests too
    if (typeof key === 'string' && getOwnPropertyDescriptor(RegExp, key).get) delete RegExp[key];
  }
  guestConsole.assert = assert;
  defineProperty(guestConsole, 'assert', { writable: false, configurable: false });
  const sealed = 'function () { [source hidden] }';
  defineProperty(Function.prototype, 'toString', { value: () => sealed });
  // Call sites would bring the functions on the stack, and with them their arguments.
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

/** What the language reads off a value that might not have it: with one of these, literals change. */
const CONSULTED = createObject(null);
for (const name of [
  ...ownKeys(Object.prototype),
  ...['toJSON', 'then', 'next', 'return', 'throw', 'done', 'value', 'get', 'set', 'has', 'keys'],
  ...['size', 'length', 'prototype', 'name', 'message', 'stack', 'cause', 'raw', 'caller'],
  ...['arguments', 'enumerable', 'configurable', 'writable', 'prepareStackTrace'],
]) {
  CONSULTED[name] = true;
}

/** Only a method with a plain name: an index or a symbol would be met in the tests' own values. */
const isOwnMethod = (owner, key) =>
  typeof key === 'string' &&
  /^[A-Za-z_$][\w$]*$/.test(key) &&
  CONSULTED[key] === undefined &&
  typeof getOwnPropertyDescriptor(owner, key).value === 'function';

/** Ends the time for extensions. Throws what an answer put there for good and may not keep. */
export const closeBuiltIns = () => {
  for (let i = 0; i < extensible.length; i++) {
    const { owner, keys, prototype } = extensible[i];
    if (getPrototypeOf(owner) !== prototype) setPrototypeOf(owner, prototype);
    const now = ownKeys(owner);
    if (now.length > keys.length) sweep(owner, keys, now);
    preventExtensions(owner);
  }
};

/** Fixed keys cannot have gone, so what is there beyond them is the answer's. */
const sweep = (owner, keys, now) => {
  const known = new Set(keys);
  for (let i = 0; i < now.length; i++) {
    if (!known.has(now[i]) && !isOwnMethod(owner, now[i])) delete owner[now[i]];
  }
};
