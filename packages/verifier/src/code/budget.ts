/**
 * The clock of one attempt inside a cell. Limits are CPU time of this thread, but isolated-vm only has wall-time
 * timeouts. So each stretch of guest code gets a timeout slightly above the CPU time that is left. A stretch that ends
 * at its timeout with CPU time left was starved by the machine: the guest is not too slow.
 */
import { cpuSince } from '../cells/serve.ts';
import type { RunLimits } from './job.ts';

/** Thrown if no CPU time is left before a stretch begins. */
export class OutOfTime extends Error {}

/** Timers of isolated-vm may fire a little early, and CPU time is read a little late. */
const TOLERANCE = 0.97;

/**
 * isolated-vm 7.0.1 starts a thread for a timeout that ends before all pending ones, and the thread sleeps until then
 * even if the timeout is canceled. An attempt with many stretches would have hundreds of threads. So a timeout that
 * would end only slightly sooner, by less than this share of the time left, ends when the last one did.
 */
const SAME_END = 0.1;

/** Counts the CPU time of one attempt and gives each stretch of guest code its timeout. */
export class Budget {
  readonly #limits: RunLimits;
  readonly #wallFactor: number;
  readonly #cpuAtStart = process.threadCpuUsage();
  readonly #startedAt = performance.now();
  #testStartMs = 0;
  #excludedCpuMs = 0;
  #stretchEndsAt = 0;
  #lastEnd = 0;

  /** @param wallFactor wall time of a stretch as a multiple of the CPU time that is left */
  constructor(limits: RunLimits, wallFactor: number) {
    this.#limits = limits;
    this.#wallFactor = wallFactor;
  }

  /** CPU milliseconds that the attempt has used. */
  get usedMs(): number {
    return cpuSince(this.#cpuAtStart) - this.#excludedCpuMs;
  }

  /** {@link exclude} for synchronous work. */
  excludeSync<T>(action: () => T): T {
    const before = process.threadCpuUsage();
    try {
      return action();
    } finally {
      this.#excludedCpuMs += cpuSince(before);
    }
  }

  /** Runs work of the cell itself in the middle of an attempt. Its time does not count as the attempt's. */
  async exclude<T>(action: () => T | Promise<T>): Promise<T> {
    const before = process.threadCpuUsage();
    try {
      return await action();
    } finally {
      this.#excludedCpuMs += cpuSince(before);
    }
  }

  /** The next test starts: the limit of one test counts from here. */
  startTest(): void {
    this.#testStartMs = this.usedMs;
  }

  /** Wall-time timeout for the next stretch of guest code. @throws {OutOfTime} */
  stretchMs(): number {
    const leftMs = this.#leftMs();
    if (leftMs <= 0) throw new OutOfTime();
    const now = performance.now();
    const wallLeftMs = this.#limits.wallMs - (now - this.#startedAt);
    const wanted = now + Math.max(1, Math.min(leftMs * this.#wallFactor, wallLeftMs)) + 5;
    const sooner = this.#lastEnd - wanted;
    const isNear = sooner > 0 && sooner < SAME_END * (this.#lastEnd - now);
    if (!isNear) this.#lastEnd = wanted;
    const timeoutMs = Math.ceil(this.#lastEnd - now) + 1;
    this.#stretchEndsAt = now + timeoutMs;
    return timeoutMs;
  }

  /** Whether the last stretch was ended by its timeout, whatever the error says. */
  get hasTimedOut(): boolean {
    return performance.now() >= this.#stretchEndsAt - 2;
  }

  /** Whether the test or the attempt has exceeded its CPU time. */
  get isExceeded(): boolean {
    return this.#leftMs() <= 0;
  }

  /** Whether the attempt as a whole has used its CPU time. */
  get isAttemptOver(): boolean {
    return this.usedMs >= this.#limits.cpuMs;
  }

  /** After a timeout: whether the guest did not get the CPU, in contrast to being slow. */
  get isStarved(): boolean {
    const used = this.usedMs;
    const { cpuMs, testCpuMs } = this.#limits;
    return used < cpuMs * TOLERANCE && used - this.#testStartMs < testCpuMs * TOLERANCE;
  }

  #leftMs(): number {
    const used = this.usedMs;
    return Math.min(this.#limits.cpuMs - used, this.#limits.testCpuMs - (used - this.#testStartMs));
  }
}
