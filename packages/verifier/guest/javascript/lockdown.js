/**
 * Guest: what an assert test needs before the answer runs. The test program shares a realm with the
 * answer, so nothing that it leans on may be changed: methods become fixed, the modules frozen, and
 * no function shows its source. New names may still be added, as polyfills do.
 */
import { assert } from './assert.js';
import { freezeModules } from './modules.js';
import { guestConsole } from './output.js';
import {
  BaseArray,
  defineProperty,
  freeze,
  G,
  getOwnPropertyDescriptor,
  getOwnPropertyNames,
  getPrototypeOf,
  hasOwn,
  ownKeys,
  preventExtensions,
} from './primordials.js';

/** Methods that programs override on their own objects by assignment, which a fixed one would stop. */
const ASSIGNABLE = new Set([
  'constructor',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'toJSON',
  'toLocaleString',
  'toString',
  'valueOf',
  'message',
  'name',
  'next',
  'then',
  'push',
  'concat',
  'bind',
]);

/** Looks like a plain value, but assigning to an heir defines the heir's own. */
const fixAssignable = (owner, key, value) =>
  defineProperty(owner, key, {
    get: () => value,
    set(given) {
      if (this === owner) return;
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

const fix = (owner) => {
  for (const key of ownKeys(owner)) {
    const descriptor = getOwnPropertyDescriptor(owner, key);
    if (!descriptor.configurable) continue;
    if ('value' in descriptor && ASSIGNABLE.has(key) && owner !== G) {
      fixAssignable(owner, key, descriptor.value);
    } else if ('value' in descriptor) {
      defineProperty(owner, key, { writable: false, configurable: false });
    } else defineProperty(owner, key, { configurable: false });
  }
};

const isObjectLike = (value) =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** Every object that can be reached from the globals by names and prototypes. */
const reachable = () => {
  const found = new Set();
  const waiting = [];
  const add = (value) => {
    if (!isObjectLike(value) || value === G || found.has(value)) return;
    found.add(value);
    waiting.push(value);
  };
  for (const name of getOwnPropertyNames(G)) add(getOwnPropertyDescriptor(G, name).value);
  add(getPrototypeOf(function* () {}));
  add(getPrototypeOf(async () => undefined));
  add(getPrototypeOf(async function* () {}));
  add(getPrototypeOf([][Symbol.iterator]()));
  add(getPrototypeOf(''[Symbol.iterator]()));
  add(getPrototypeOf(new Map().entries()));
  add(getPrototypeOf(new Set().entries()));
  while (waiting.length > 0) {
    const owner = waiting.pop();
    add(getPrototypeOf(owner));
    for (const key of ownKeys(owner)) {
      const { value, get, set } = getOwnPropertyDescriptor(owner, key);
      add(value);
      add(get);
      add(set);
    }
  }
  return found;
};

/** Names of the realm that an answer may still declare or assign for itself. */
const FREE_GLOBALS = new Set(['module', 'exports', 'name', 'print', 'prompt', 'readline']);

export const lockdown = () => {
  guestConsole.assert = assert;
  const sealed = 'function () { [source hidden] }';
  defineProperty(Function.prototype, 'toString', { value: () => sealed });
  freezeModules.on = true;
  freeze(assert);
  freeze(assert.strict);
  const { process, module } = G;
  for (const owner of reachable()) if (owner !== process && owner !== module) fix(owner);
  for (const name of getOwnPropertyNames(G)) {
    const descriptor = getOwnPropertyDescriptor(G, name);
    if (descriptor.configurable && !FREE_GLOBALS.has(name)) {
      defineProperty(G, name, { writable: false, configurable: false });
    }
  }
  preventExtensions(Object.prototype);
  preventExtensions(BaseArray.prototype);
};
