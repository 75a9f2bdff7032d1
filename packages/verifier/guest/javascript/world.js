/**
 * Guest, part 2: the world as the answer finds it. Takes away what no timeout or memory limit
 * covers, and makes time and chance the same in every run.
 */
import {
  apply,
  BaseBuffer,
  BaseDate,
  BaseTypeError,
  construct,
  defineProperty,
  G,
  imul,
  isoText,
} from './primordials.js';

// Anything that shows the collector, and what the guest has its own of.
const REMOVED = ['ShadowRealm', 'FinalizationRegistry', 'WeakRef', 'console', 'gc'];
for (const name of REMOVED) delete G[name];

/** Memory that the isolate's limit does not count, and threads: V8 puts these into every context anew. */
export const RETURNING = ['WebAssembly', 'SharedArrayBuffer', 'Atomics'];

/** Virtual time in milliseconds: moves only when a timer is due. */
export const clock = { nowMs: 1_700_000_000_000, startMs: 1_700_000_000_000 };

const hidden = (target, name, value) =>
  defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });

/** Resizable buffers abort the whole process, so only fixed ones can be made. */
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
  if (!new.target) return apply(BaseDate.prototype.toString, new BaseDate(clock.nowMs), []);
  const given = parts.length > 0 ? parts : [clock.nowMs];
  return construct(BaseDate, given, new.target === VirtualDate ? BaseDate : new.target);
}
VirtualDate.prototype = BaseDate.prototype;
hidden(VirtualDate, 'name', 'Date');
hidden(VirtualDate, 'now', () => clock.nowMs);
hidden(VirtualDate, 'UTC', BaseDate.UTC);
hidden(VirtualDate, 'parse', BaseDate.parse);
hidden(BaseDate.prototype, 'constructor', VirtualDate);
hidden(G, 'Date', VirtualDate);

export const performance = {
  now: () => clock.nowMs - clock.startMs,
  timeOrigin: clock.startMs,
  mark: () => undefined,
  measure: () => undefined,
  toJSON: () => isoText(new BaseDate(clock.startMs)),
};
hidden(G, 'performance', performance);

// mulberry32: 32 bits of state are enough for a fixed sequence that nobody depends on.
let seed = 0x9e3779b9 | 0;
/** One step of the fixed sequence, in [0, 1). */
export const nextRandom = () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = imul(seed ^ (seed >>> 15), seed | 1);
  t ^= t + imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
hidden(Math, 'random', nextRandom);

export { hidden };
