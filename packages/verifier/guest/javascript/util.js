/** The functions of the module `util` that convert between callbacks and promises, and `util.types`. */
import {
  apply,
  BaseBoolean,
  BaseError,
  BaseNumber,
  BasePromise,
  BaseString,
  freeze,
  G,
  isDate,
  isMap,
  isSet,
  isView,
  slice,
  tagOf,
} from './primordials.js';
import { readline } from './stdin.js';
import { setImmediate, setTimeout } from './timers.js';
import { hidden } from './world.js';

const PROMISED = Symbol.for('nodejs.util.promisify.custom');

export const promisify = (action) => {
  if (typeof action?.[PROMISED] === 'function') return action[PROMISED];
  return function (...values) {
    return new BasePromise((resolve, reject) => {
      const done = (error, value) => (error ? reject(error) : resolve(value));
      apply(action, this, [...values, done]);
    });
  };
};
promisify.custom = PROMISED;

export const callbackify = (action) =>
  function (...values) {
    const done = values.pop();
    apply(action, this, values).then(
      (value) => setImmediate(done, null, value),
      (error) => setImmediate(done, error),
    );
  };

export const wait = (delayMs, value) =>
  new BasePromise((resolve) => setTimeout(resolve, delayMs, value));
hidden(setTimeout, PROMISED, wait);
hidden(setImmediate, PROMISED, (value) => wait(0, value));
hidden(readline.Interface.prototype.question, PROMISED, function (query) {
  return new BasePromise((resolve) => this.question(query, resolve));
});

const hasTag = (tag) => (value) => tagOf(value) === `[object ${tag}]`;
const isBoxed = (value) =>
  value instanceof BaseNumber || value instanceof BaseString || value instanceof BaseBoolean;

export const types = {
  isDate,
  isMap,
  isSet,
  isArrayBufferView: isView,
  isTypedArray: (value) => isView(value) && !(value instanceof G.DataView),
  isNativeError: (value) => value instanceof BaseError,
  isBoxedPrimitive: isBoxed,
  isAnyArrayBuffer: hasTag('ArrayBuffer'),
  isAsyncFunction: (value) =>
    hasTag('AsyncFunction')(value) || hasTag('AsyncGeneratorFunction')(value),
  isGeneratorFunction: (value) =>
    hasTag('GeneratorFunction')(value) || hasTag('AsyncGeneratorFunction')(value),
  isGeneratorObject: hasTag('Generator'),
  isMapIterator: hasTag('Map Iterator'),
  isSetIterator: hasTag('Set Iterator'),
};
for (const tag of ['RegExp', 'Promise', 'WeakMap', 'WeakSet', 'ArrayBuffer', 'DataView']) {
  types[`is${tag}`] = hasTag(tag);
}
for (const name of Object.getOwnPropertyNames(G)) {
  if (slice(name, -5) === 'Array' && name !== 'Array') types[`is${name}`] = hasTag(name);
}
freeze(types); // freezing the module does not reach an object inside it
