/**
 * The eye on a running child: wall time, CPU time, memory and the owner's wish to stop, looked at
 * from outside, because a guest stuck in a native loop answers nobody.
 */
import { mainThreadCpuMs, mainThreadSleeps, residentMb } from './procfs.ts';
import type { CellOutcome, JobLimits, KillReason, Usage } from './types.ts';

/** Between two looks at a running child. */
const WATCH_MS = 10;
/** How far past its CPU limit a child may go: it ends itself at the limit unless it is stuck. */
const CPU_SLACK_MS = 200;

/** Looks at a running child again and again, and ends it at the first limit that it passes. */
export class Watch {
  readonly #pid: number;
  readonly #limits: JobLimits;
  readonly #cancelled: () => boolean;
  readonly #startMs: number;
  readonly #created = performance.now();
  /** Undefined until the child has said that the job itself runs. */
  #began: number | undefined;
  #cpuBefore = 0;
  #timer: NodeJS.Timeout | undefined;
  #peakMb = 0;
  #cpuMs: number | undefined;
  #lastAwake = this.#created;
  #why: KillReason | 'aborted' | 'start' | undefined;

  /** @param startMs how long the child may take to begin */
  constructor(pid: number, limits: JobLimits, startMs: number, cancelled: () => boolean) {
    this.#pid = pid;
    this.#limits = limits;
    this.#startMs = startMs;
    this.#cancelled = cancelled;
  }

  /** The job runs: limits count from here. */
  begin(): void {
    this.#began = performance.now();
    this.#lastAwake = this.#began;
    this.#cpuBefore = mainThreadCpuMs(this.#pid) ?? 0;
  }

  start(kill: () => void): void {
    this.#timer = setInterval(() => {
      this.#why ??= this.#look();
      if (this.#why) kill();
    }, WATCH_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): KillReason | 'aborted' | 'start' | undefined {
    if (this.#cancelled()) return 'aborted';
    const now = performance.now();
    if (this.#began === undefined) {
      return now - this.#created > this.#startMs ? 'start' : undefined;
    }
    this.#peakMb = Math.max(this.#peakMb, residentMb(this.#pid) ?? 0);
    this.#readThread();
    const { rssMb = Infinity, cpuMs = Infinity, stallMs = Infinity, wallMs } = this.#limits;
    if (this.#peakMb > rssMb) return 'memory';
    if ((this.#cpuMs ?? 0) > cpuMs + CPU_SLACK_MS) return 'cpu';
    if (now - this.#lastAwake > stallMs) return 'stall';
    return now - this.#began > wallMs ? 'wall' : undefined;
  }

  #readThread(): void {
    const cpuMs = mainThreadCpuMs(this.#pid);
    if (cpuMs !== undefined) this.#cpuMs = cpuMs - this.#cpuBefore;
    // Unknown counts as awake: without /proc nobody can tell a stall.
    if (mainThreadSleeps(this.#pid) !== true) this.#lastAwake = performance.now();
  }

  /** What this watch has ended the child for, if it did. */
  verdict(): CellOutcome | undefined {
    if (this.#why === undefined) return undefined;
    if (this.#why === 'aborted') return { kind: 'aborted' };
    if (this.#why === 'start') return { kind: 'unavailable', detail: 'the cell did not begin' };
    return { kind: 'killed', limit: this.#why, usage: this.usage() };
  }

  /** @param told the child's own clocks, which do not count the way of its messages */
  usage(told?: { readonly cpuMs: number; readonly wallMs: number }): Usage {
    const wallMs = told?.wallMs ?? performance.now() - (this.#began ?? this.#created);
    return { wallMs, cpuMs: told?.cpuMs ?? this.#cpuMs, peakRssMb: Math.round(this.#peakMb) };
  }
}
