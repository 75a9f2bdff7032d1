/**
 * The event loop in virtual time, in Node's order. Nothing really waits: the driver takes what comes next and moves the
 * clock to it.
 */
import { addTimer, bareList, firstTimer, removeTimer } from './heap.js';
import {
  apply,
  BasePromise,
  BaseTypeError,
  createObject,
  floor,
  freeze,
  G,
  push,
  thenOf,
} from './primordials.js';
import { clock, hidden, passTime } from './world.js';

const MAX_DELAY_MS = 2 ** 31 - 1;

/** Everything that waits, by its id. */
const waitingById = createObject(null);
/** How many of these keep the program alive, and how many of those are intervals. */
let held = 0;
let heldIntervals = 0;
let lastId = 0;
let lastOrder = 0;

const ticks = bareList();
let nextTickAt = 0;
const immediates = bareList();
let nextImmediateAt = 0;

/** One round of the loop: the timers that are due by `dueMs`, then the immediates before `checkUntil`. */
const round = { dueMs: 0, checking: true, checkUntil: 0 };

const requireFunction = (action) => {
  if (typeof action !== 'function') {
    throw new BaseTypeError('The "callback" argument must be of type function');
  }
};

const isWaiting = (entry) => waitingById[entry.id] === entry;

let entryOf;
/**
 * Node's timers are objects that convert to a number. The number identifies the timer only after such a conversion, so
 * that a program that tries all numbers cannot clear the timers of the tests.
 */
class Timeout {
  static {
    entryOf = (value) => (#entry in value ? value.#entry : undefined);
  }
  #entry;
  constructor(entry) {
    this.#entry = entry;
  }
  ref() {
    hold(this.#entry, true);
    return this;
  }
  unref() {
    hold(this.#entry, false);
    return this;
  }
  hasRef() {
    return this.#entry.isHeld;
  }
  [Symbol.toPrimitive]() {
    this.#entry.isNumbered = true;
    return this.#entry.id;
  }
}
freeze(Timeout.prototype);

const count = (entry, by) => {
  held += by;
  if (entry.everyMs > 0) heldIntervals += by;
};

const remember = (action, args, everyMs) => {
  requireFunction(action);
  lastId += 1;
  const entry = {
    id: lastId,
    action,
    args,
    handle: undefined,
    isHeld: true,
    isNumbered: false,
    atMs: 0,
    notBeforeMs: 0,
    everyMs,
    order: 0,
    slot: -1,
  };
  entry.handle = new Timeout(entry);
  waitingById[lastId] = entry;
  count(entry, 1);
  return entry;
};

const forget = (entry) => {
  delete waitingById[entry.id];
  if (entry.isHeld) count(entry, -1);
};

const hold = (entry, isHeld) => {
  if (isWaiting(entry) && entry.isHeld !== isHeld) count(entry, isHeld ? 1 : -1);
  entry.isHeld = isHeld;
};

const delayOf = (delayMs) => {
  const delay = +delayMs;
  return delay >= 1 && delay <= MAX_DELAY_MS ? floor(delay) : 1;
};

const schedule = (timer, delay) => {
  lastOrder += 1;
  timer.order = lastOrder;
  timer.atMs = floor(clock.nowMs) + delay; // as Node, whose timers see whole milliseconds
  timer.notBeforeMs = clock.nowMs + delay;
  addTimer(timer);
};

const numbered = (id) => {
  const entry = waitingById[id];
  return entry?.isNumbered ? entry : undefined;
};

export const clear = (timer) => {
  const entry = typeof timer === 'object' && timer !== null ? entryOf(timer) : numbered(timer);
  if (entry === undefined || !isWaiting(entry)) return;
  forget(entry);
  if (entry.slot >= 0) removeTimer(entry);
};

export const setTimeout = (action, delayMs, ...args) => {
  const timer = remember(action, args, 0);
  schedule(timer, delayOf(delayMs));
  return timer.handle;
};
export const setInterval = (action, delayMs, ...args) => {
  const timer = remember(action, args, delayOf(delayMs));
  schedule(timer, timer.everyMs);
  return timer.handle;
};
export const setImmediate = (action, ...args) => {
  const entry = remember(action, args, 0);
  push(immediates, entry);
  return entry.handle;
};
/** `process.nextTick`: runs before promise jobs, unless those have already begun. */
export const nextTick = (action, ...args) => {
  requireFunction(action);
  push(ticks, { action, args });
};

hidden(G, 'setTimeout', setTimeout);
hidden(G, 'setInterval', setInterval);
hidden(G, 'setImmediate', setImmediate);
hidden(G, 'clearTimeout', clear);
hidden(G, 'clearInterval', clear);
hidden(G, 'clearImmediate', clear);
hidden(G, 'queueMicrotask', (action) => {
  requireFunction(action);
  thenOf(BasePromise.resolve(), () => action());
});

/** Runs all callbacks of `nextTick`, also those that they add. Returns false if there were none. */
export const runTicks = () => {
  if (ticks.length === 0) return false;
  while (nextTickAt < ticks.length) {
    const { action, args } = ticks[nextTickAt];
    ticks[nextTickAt] = undefined;
    nextTickAt += 1;
    apply(action, undefined, args);
  }
  ticks.length = 0;
  nextTickAt = 0;
  return true;
};

const takeImmediate = () => {
  const entry = immediates[nextImmediateAt];
  immediates[nextImmediateAt] = undefined;
  nextImmediateAt += 1;
  if (nextImmediateAt === immediates.length) {
    immediates.length = 0;
    nextImmediateAt = 0;
    round.checkUntil = 0;
  }
  return entry;
};

const moveClockTo = (ms) => {
  if (ms > clock.nowMs) clock.nowMs = ms;
};

/** Moves the clock to the next timer, unless immediates come before it. */
const beginRound = () => {
  const timer = firstTimer();
  if (immediates.length > 0) passTime();
  // Node needs about one millisecond to get here, which is the delay of the shortest timers.
  if (timer !== undefined && (immediates.length === 0 || timer.atMs <= clock.nowMs + 1)) {
    moveClockTo(timer.atMs);
  }
  round.dueMs = clock.nowMs;
  round.checking = false;
};

const takeNext = () => {
  for (;;) {
    const timer = firstTimer();
    if (!round.checking && timer !== undefined && timer.atMs <= round.dueMs) {
      removeTimer(timer);
      moveClockTo(timer.notBeforeMs);
      return timer;
    }
    if (!round.checking) {
      round.checking = true;
      round.checkUntil = immediates.length;
    }
    if (nextImmediateAt < round.checkUntil) {
      const entry = takeImmediate();
      if (isWaiting(entry)) return entry;
    } else beginRound();
  }
};

/** Runs what comes next, ticks included. Returns false if nothing keeps the program alive. Errors reach the caller. */
export const runNext = () => {
  if (runTicks()) return true;
  if (held === 0) return false;
  const entry = takeNext();
  if (entry.everyMs === 0) forget(entry);
  apply(entry.action, entry.handle, entry.args);
  if (entry.everyMs > 0 && isWaiting(entry)) schedule(entry, entry.everyMs);
  return true;
};

let quietSinceMs;
/**
 * Whether only intervals are left, and all of them that were due within `ms` since then have run. It uses the times at
 * which they are due and not the clock, which a program can move.
 */
export const isQuietFor = (ms) => {
  if (held > heldIntervals || ticks.length > 0) quietSinceMs = undefined;
  else quietSinceMs ??= clock.nowMs;
  return held > 0 && quietSinceMs !== undefined && firstTimer().atMs > quietSinceMs + ms;
};
