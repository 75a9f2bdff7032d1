/**
 * Guest, part 4: timers in virtual time. Nothing waits: the driver takes the next timer that is due
 * and moves the clock there.
 */
import { apply, BasePromise, BaseTypeError, G, push, thenOf } from './primordials.js';
import { clock, hidden } from './world.js';

const waiting = [];
let lastId = 0;

const add = (action, delayMs, args, everyMs) => {
  if (typeof action !== 'function') {
    throw new BaseTypeError('The "callback" argument must be of type function');
  }
  lastId += 1;
  const delay = delayMs > 0 ? +delayMs : 0;
  push(waiting, { id: lastId, atMs: clock.nowMs + delay, action, args, everyMs });
  return timerHandle(lastId);
};

/** Node's timers are objects that turn into a number where one is wanted. */
const timerHandle = (id) => {
  const timer = { id, ref: () => timer, unref: () => timer, hasRef: () => true };
  hidden(timer, Symbol.toPrimitive, () => id);
  return timer;
};

const removeAt = (index) => {
  for (let i = index; i < waiting.length - 1; i++) waiting[i] = waiting[i + 1];
  waiting.length -= 1;
};

export const clear = (timer) => {
  const id = typeof timer === 'object' && timer !== null ? timer.id : timer;
  for (let i = 0; i < waiting.length; i++) if (waiting[i].id === id) return removeAt(i);
  return undefined;
};

export const setTimeout = (action, delayMs, ...args) => add(action, delayMs, args);
export const setInterval = (action, delayMs, ...args) =>
  add(action, delayMs, args, delayMs > 1 ? +delayMs : 1);
export const setImmediate = (action, ...args) => add(action, 0, args);
export const later = (action, ...args) =>
  thenOf(BasePromise.resolve(), () => apply(action, undefined, args));

hidden(G, 'setTimeout', setTimeout);
hidden(G, 'setInterval', setInterval);
hidden(G, 'setImmediate', setImmediate);
hidden(G, 'clearTimeout', clear);
hidden(G, 'clearInterval', clear);
hidden(G, 'clearImmediate', clear);
hidden(G, 'queueMicrotask', (action) => {
  later(action);
});

/** Runs the timer that is due first; false when none waits. What it throws goes to the caller. */
export const runNextTimer = () => {
  let first = -1;
  for (let i = 0; i < waiting.length; i++) {
    if (first < 0 || waiting[i].atMs < waiting[first].atMs) first = i;
  }
  if (first < 0) return false;
  const timer = waiting[first];
  removeAt(first);
  if (timer.atMs > clock.nowMs) clock.nowMs = timer.atMs;
  if (timer.everyMs) push(waiting, { ...timer, atMs: clock.nowMs + timer.everyMs });
  apply(timer.action, undefined, timer.args);
  return true;
};
