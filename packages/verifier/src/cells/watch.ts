/**
 * The eye on a running child: wall time, CPU time, memory and the owner's wish to stop, looked at
 * from outside, because a guest stuck in a native loop answers nobody.
 */
import { mainThreadCpuMs, residentMb } from './procfs.ts';
import type { CellOutcome, JobLimits, Usage } from './types.ts';

/** Between two looks at a running child. */
const WATCH_MS = 10;
/** How far past its CPU limit a child may go: it ends itself at the limit unless it is stuck. */
const CPU_SLACK_MS = 100;

/** Looks at a running child again and again, and ends it at the first limit that it passes. */
export class Watch {
  readonly #pid: number;
  readonly #limits: JobLimits;
  readonly #cancelled: () => boolean;
  readonly #began = performance.now();
  readonly #cpuBefore: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #peakMb = 0;
  #cpuMs: number | undefined;
  #why: 'wall' | 'cpu' | 'memory' | 'aborted' | undefined;

  constructor(pid: number, limits: JobLimits, cancelled: () => boolean) {
    this.#pid = pid;
    this.#limits = limits;
    this.#cancelled = cancelled;
    this.#cpuBefore = mainThreadCpuMs(pid);
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

  #look(): 'wall' | 'cpu' | 'memory' | 'aborted' | undefined {
    if (this.#cancelled()) return 'aborted';
    this.#peakMb = Math.max(this.#peakMb, residentMb(this.#pid) ?? 0);
    const cpu = mainThreadCpuMs(this.#pid);
    if (cpu !== undefined) this.#cpuMs = cpu - (this.#cpuBefore ?? 0);
    if (this.#peakMb > (this.#limits.rssMb ?? Number.POSITIVE_INFINITY)) return 'memory';
    const cpuLimit = (this.#limits.cpuMs ?? Number.POSITIVE_INFINITY) + CPU_SLACK_MS;
    if ((this.#cpuMs ?? 0) > cpuLimit) return 'cpu';
    return performance.now() - this.#began > this.#limits.wallMs ? 'wall' : undefined;
  }

  /** What this watch has ended the child for, if it did. */
  verdict(): CellOutcome | undefined {
    if (this.#why === undefined) return undefined;
    if (this.#why === 'aborted') return { kind: 'aborted' };
    return { kind: 'killed', limit: this.#why, usage: this.usage() };
  }

  usage(cpuMs?: number): Usage {
    const wallMs = performance.now() - this.#began;
    return { wallMs, cpuMs: cpuMs ?? this.#cpuMs, peakRssMb: Math.round(this.#peakMb) };
  }
}
