/**
 * Watches a running child from outside: wall time, CPU time, memory and cancellation. Guest code in a native loop does
 * not answer messages, so that nothing inside the child could do this.
 */
import { isMainThreadAsleep, mainThreadCpuMs, residentMb } from './procfs.ts';
import type { CellOutcome, JobLimits, KillReason, Usage } from './types.ts';

/** Time between two checks of a running child. */
const CHECK_MS = 10;
/** How far a child may exceed its CPU limit. It ends itself at the limit, unless it is stuck. */
const CPU_SLACK_MS = 200;

/** Checks a running child at short intervals and kills it at the first limit that it exceeds. */
export class Watch {
  readonly #pid: number;
  readonly #limits: JobLimits;
  readonly #isCancelled: () => boolean;
  readonly #startMs: number;
  readonly #createdAt = performance.now();
  /** Undefined until the child has reported that the job itself runs. */
  #beganAt: number | undefined;
  #cpuBeforeMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #peakMb = 0;
  #cpuMs: number | undefined;
  #lastAwakeAt = this.#createdAt;
  #reason: KillReason | 'aborted' | 'start' | undefined;

  /** @param startMs how long the child may take until the job begins */
  constructor(pid: number, limits: JobLimits, startMs: number, isCancelled: () => boolean) {
    this.#pid = pid;
    this.#limits = limits;
    this.#startMs = startMs;
    this.#isCancelled = isCancelled;
  }

  /** The job has begun: its limits count from here. */
  begin(): void {
    this.#beganAt = performance.now();
    this.#lastAwakeAt = this.#beganAt;
    this.#cpuBeforeMs = mainThreadCpuMs(this.#pid) ?? 0;
  }

  start(kill: () => void): void {
    this.#timer = setInterval(() => {
      this.#reason ??= this.#check();
      if (this.#reason) kill();
    }, CHECK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): KillReason | 'aborted' | 'start' | undefined {
    if (this.#isCancelled()) return 'aborted';
    const now = performance.now();
    if (this.#beganAt === undefined) {
      return now - this.#createdAt > this.#startMs ? 'start' : undefined;
    }
    this.#peakMb = Math.max(this.#peakMb, residentMb(this.#pid) ?? 0);
    this.#readThread();
    const { rssMb = Infinity, cpuMs = Infinity, stallMs = Infinity, wallMs } = this.#limits;
    if (this.#peakMb > rssMb) return 'memory';
    if ((this.#cpuMs ?? 0) > cpuMs + CPU_SLACK_MS) return 'cpu';
    if (now - this.#lastAwakeAt > stallMs) return 'stall';
    return now - this.#beganAt > wallMs ? 'wall' : undefined;
  }

  #readThread(): void {
    const cpuMs = mainThreadCpuMs(this.#pid);
    if (cpuMs !== undefined) this.#cpuMs = cpuMs - this.#cpuBeforeMs;
    // Unknown counts as awake: without /proc a stall cannot be seen.
    if (isMainThreadAsleep(this.#pid) !== true) this.#lastAwakeAt = performance.now();
  }

  /** The outcome if this watch killed the child. */
  killOutcome(): CellOutcome | undefined {
    if (this.#reason === undefined) return undefined;
    if (this.#reason === 'aborted') return { kind: 'aborted' };
    if (this.#reason === 'start') return { kind: 'unavailable', detail: 'the cell did not begin' };
    return { kind: 'killed', limit: this.#reason, usage: this.usage() };
  }

  /** @param reported the child's own clocks, which leave out the time of its messages */
  usage(reported?: { readonly cpuMs: number; readonly wallMs: number }): Usage {
    const wallMs = reported?.wallMs ?? performance.now() - (this.#beganAt ?? this.#createdAt);
    const cpuMs = reported?.cpuMs ?? this.#cpuMs;
    return { wallMs, cpuMs, peakRssMb: Math.round(this.#peakMb) };
  }
}
