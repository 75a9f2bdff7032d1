/**
 * The clock of one attempt inside a cell. Limits are CPU time of this thread; isolated-vm only knows
 * wall time, so each stretch gets a wall timeout somewhat above the CPU time that is left, and what
 * ends there with CPU time still to spare was starved by the machine, not slow.
 */
import { cpuSince } from '../cells/serve.ts';
import type { RunLimits } from './job.ts';

/** Thrown when no CPU time is left before a stretch begins. */
export class OutOfTime extends Error {}

/** Timers of isolated-vm may fire a little early; CPU time is read a little late. */
const TOLERANCE = 0.97;

/**
 * isolated-vm 7.0.1 gives a timeout that ends before all pending ones a thread of its own, which sleeps
 * until then even when the timeout is cancelled. Stretches with less and less time would make
 * hundreds; so an end that is sooner by less than this share of what is left stays where the last one was.
 */
const SAME_END = 0.1;

export class Budget {
  readonly #limits: RunLimits;
  readonly #patience: number;
  readonly #began = process.threadCpuUsage();
  readonly #beganAt = performance.now();
  #testBegan = 0;
  #notOurs = 0;
  #stretchEndsAt = 0;
  #lastEnd = 0;

  constructor(limits: RunLimits, patience: number) {
    this.#limits = limits;
    this.#patience = patience;
  }

  get usedMs(): number {
    return cpuSince(this.#began) - this.#notOurs;
  }

  /** {@link outside} for work that does not wait. */
  outsideSync<T>(action: () => T): T {
    const before = process.threadCpuUsage();
    try {
      return action();
    } finally {
      this.#notOurs += cpuSince(before);
    }
  }

  /** Work of the cell itself in the middle of an attempt, which is not on the attempt's time. */
  async outside<T>(action: () => T | Promise<T>): Promise<T> {
    const before = process.threadCpuUsage();
    try {
      return await action();
    } finally {
      this.#notOurs += cpuSince(before);
    }
  }

  /** The next test starts: its own limit counts from here. */
  nextTest(): void {
    this.#testBegan = this.usedMs;
  }

  /** Wall timeout for the next stretch of guest code. @throws {OutOfTime} */
  stretchMs(): number {
    const left = this.#leftMs();
    if (left <= 0) throw new OutOfTime();
    const now = performance.now();
    const wallLeft = this.#limits.wallMs - (now - this.#beganAt);
    const wanted = now + Math.max(1, Math.min(left * this.#patience, wallLeft)) + 5;
    const sooner = this.#lastEnd - wanted;
    const near = sooner > 0 && sooner < SAME_END * (this.#lastEnd - now);
    if (!near) this.#lastEnd = wanted;
    const timeout = Math.ceil(this.#lastEnd - now) + 1;
    this.#stretchEndsAt = now + timeout;
    return timeout;
  }

  /** True when the last stretch was ended by its timeout, whatever the error says. */
  get stretchTimedOut(): boolean {
    return performance.now() >= this.#stretchEndsAt - 2;
  }

  get overdrawn(): boolean {
    return this.#leftMs() <= 0;
  }

  /** True when the attempt as a whole has used up its time. */
  get spent(): boolean {
    return this.usedMs >= this.#limits.cpuMs;
  }

  /** A stretch that timed out: was the guest slow, or did it not get the CPU? */
  get starved(): boolean {
    const used = this.usedMs;
    const { cpuMs, testCpuMs } = this.#limits;
    return used < cpuMs * TOLERANCE && used - this.#testBegan < testCpuMs * TOLERANCE;
  }

  #leftMs(): number {
    const used = this.usedMs;
    return Math.min(this.#limits.cpuMs - used, this.#limits.testCpuMs - (used - this.#testBegan));
  }
}
