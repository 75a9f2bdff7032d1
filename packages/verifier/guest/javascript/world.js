/**
 * The globals as a program finds them. Removes what no timeout or memory limit covers, and makes the clock and random
 * numbers the same in every run.
 */
import {
  apply,
  BaseBuffer,
  BaseDate,
  BaseTypeError,
  construct,
  defineProperty,
  floor,
  G,
  getOwnPropertyDescriptor,
  imul,
  isoText,
} from './primordials.js';

// Whatever shows the garbage collector, and what the guest implements itself.
const REMOVED = ['ShadowRealm', 'FinalizationRegistry', 'WeakRef', 'console', 'gc'];
for (const name of REMOVED) delete G[name];

/** Memory that the limit of the isolate does not count, and threads. V8 adds these to every new context. */
export const RETURNING = ['WebAssembly', 'SharedArrayBuffer', 'Atomics'];

/** Virtual time in milliseconds. It moves to the time of a timer that is due, and a little whenever it is read. */
export const clock = { nowMs: 1_700_000_000_000, startMs: 1_700_000_000_000 };

/** By how much a read moves the clock, so that a program that waits in a loop for a time gets there. */
const READ_MS = 1 / 16; // exact in binary, so that no rounding errors add up
export const passTime = () => {
  clock.nowMs += READ_MS;
  return clock.nowMs;
};
/** The time that a program sees, in whole milliseconds. */
const readClock = () => floor(passTime());

const hidden = (target, name, value) =>
  defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });

/** Resizable buffers can abort the whole process, so only buffers of a fixed length can be made. */
function FixedArrayBuffer(length) {
  if (!new.target) throw new BaseTypeError("Constructor ArrayBuffer requires 'new'");
  return construct(BaseBuffer, [length], new.target === FixedArrayBuffer ? BaseBuffer : new.target);
}
FixedArrayBuffer.prototype = BaseBuffer.prototype;
hidden(FixedArrayBuffer, 'name', 'ArrayBuffer');
hidden(FixedArrayBuffer, 'isView', BaseBuffer.isView);
hidden(BaseBuffer.prototype, 'constructor', FixedArrayBuffer);
for (const name of ['resize', 'transfer', 'transferToFixedLength'])
  delete BaseBuffer.prototype[name];
hidden(G, 'ArrayBuffer', FixedArrayBuffer);

function VirtualDate(...parts) {
  if (!new.target) return apply(BaseDate.prototype.toString, new BaseDate(readClock()), []);
  const given = parts.length > 0 ? parts : [readClock()];
  return construct(BaseDate, given, new.target === VirtualDate ? BaseDate : new.target);
}
VirtualDate.prototype = BaseDate.prototype;
hidden(VirtualDate, 'name', 'Date');
hidden(VirtualDate, 'now', readClock);
hidden(VirtualDate, 'UTC', BaseDate.UTC);
hidden(VirtualDate, 'parse', BaseDate.parse);
hidden(BaseDate.prototype, 'constructor', VirtualDate);
hidden(G, 'Date', VirtualDate);

// Without a date these two would use the real time.
const { DateTimeFormat } = Intl;
const formatterOf = getOwnPropertyDescriptor(DateTimeFormat.prototype, 'format').get;
const { formatToParts } = DateTimeFormat.prototype;
const dateOrNow = (date) => (date === undefined ? readClock() : date);
defineProperty(DateTimeFormat.prototype, 'format', {
  get() {
    const format = apply(formatterOf, this, []);
    return (date) => format(dateOrNow(date));
  },
});
hidden(DateTimeFormat.prototype, 'formatToParts', function (date) {
  return apply(formatToParts, this, [dateOrNow(date)]);
});

export const performance = {
  now: () => passTime() - clock.startMs,
  timeOrigin: clock.startMs,
  mark: () => undefined,
  measure: () => undefined,
  toJSON: () => isoText(new BaseDate(clock.startMs)),
};
hidden(G, 'performance', performance);

// mulberry32. The sequence is fixed, so 32 bits of state are enough.
let seed = 0x9e3779b9 | 0;
/** The next number of the fixed sequence, in [0, 1). */
export const nextRandom = () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = imul(seed ^ (seed >>> 15), seed | 1);
  t ^= t + imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
hidden(Math, 'random', nextRandom);

export { hidden };
