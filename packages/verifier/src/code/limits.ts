/** The limits of each language where a task names none, and what a cell may use up for them. */
import type { JobLimits } from '../cells/index.ts';
import type { Language, RunLimits } from './job.ts';

const SCRIPT: RunLimits = {
  cpuMs: 2000,
  testCpuMs: 2000,
  wallMs: 20_000,
  memoryMb: 64,
  outputBytes: 1 << 20,
  sourceBytes: 65_536,
};

export const DEFAULT_LIMITS: Record<Language, RunLimits> = {
  javascript: SCRIPT,
  typescript: SCRIPT,
  python: { ...SCRIPT, cpuMs: 5000, testCpuMs: 5000, wallMs: 50_000, memoryMb: 256 },
};

/** Wall time is a backstop: closer to the CPU limit than this, load would decide verdicts. */
const LEAST_WALL = 10;

/** A task's limits over the domain's over the language's. One test may use what the attempt may. */
export function limitsFor(
  language: Language,
  ...overrides: readonly Partial<RunLimits>[]
): RunLimits {
  const { testCpuMs: _, ...defaults } = DEFAULT_LIMITS[language];
  const merged: Omit<RunLimits, 'testCpuMs'> & Partial<RunLimits> = Object.assign(
    {},
    defaults,
    ...overrides,
  );
  const { cpuMs, testCpuMs = cpuMs, wallMs } = merged;
  return {
    ...merged,
    testCpuMs: Math.min(testCpuMs, cpuMs),
    wallMs: Math.max(wallMs, cpuMs * LEAST_WALL),
  };
}

/** Wall time over CPU time: first as on a quiet machine, then with patience for a loaded one. */
export const PATIENCE = [1.2, 40] as const;

/** Time for the way there and back, and for what the guest's own timeout needs to strike. */
const GRACE_MS = 1000;
/** Resident memory of a cell without its guest. */
const CELL_MB = { script: 450, python: 900 };
/** V8 parks the thread of an isolate that has run out of memory. */
const STALL_MS = [600, 3000] as const;

/**
 * What the cell of a run may use up before it is killed from outside. Every input of a program gets a
 * fresh world, whose making is not on the attempt's time.
 */
export function cellLimits(
  language: Language,
  limits: RunLimits,
  inputs: number,
  round: 0 | 1,
): JobLimits {
  const freshMs = inputs * (language === 'python' ? 1000 : 20);
  const own = language === 'python' ? CELL_MB.python : CELL_MB.script;
  const firstWallMs = limits.cpuMs * PATIENCE[0] + GRACE_MS;
  return {
    wallMs:
      round === 0
        ? Math.min(firstWallMs, limits.wallMs) + freshMs
        : limits.wallMs + GRACE_MS + freshMs,
    cpuMs: limits.cpuMs + freshMs,
    rssMb: own + limits.memoryMb,
    stallMs: STALL_MS[round],
  };
}
