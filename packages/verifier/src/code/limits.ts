/** The default limits of each language, and the limits of the cell that follow from them. */
import type { JobLimits } from '../cells/index.ts';
import type { Language, RunLimits } from './job.ts';

const SCRIPT: RunLimits = {
  cpuMs: 2000,
  testCpuMs: 2000,
  wallMs: 20_000,
  memoryMb: 64,
  outputChars: 1 << 20,
  sourceChars: 65_536,
};

/** Limits for tasks that set none. */
export const DEFAULT_LIMITS: Record<Language, RunLimits> = {
  javascript: SCRIPT,
  typescript: SCRIPT,
  python: { ...SCRIPT, cpuMs: 5000, testCpuMs: 5000, wallMs: 50_000, memoryMb: 256 },
};

/**
 * What is wrong with the names of these limits, or undefined. A limit with an unknown name would have no effect.
 * TypeScript finds them too; JavaScript callers need the check.
 */
export function problemOfLimits(limits: object): string | undefined {
  const known = Object.keys(SCRIPT);
  const unknown = Object.keys(limits).find((name) => !known.includes(name));
  if (unknown === undefined) return undefined;
  return `limits.${unknown}: expected one of ${known.join(', ')}`;
}

/** Smallest ratio of wall time to CPU time. With less, the load of the machine would decide verdicts. */
const MIN_WALL_RATIO = 10;

/**
 * Merges limits: each override wins over the ones before it, and all win over the defaults of the language. Without a
 * limit of its own, one test may use the CPU time of the whole attempt.
 */
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
    wallMs: Math.max(wallMs, cpuMs * MIN_WALL_RATIO),
  };
}

/** Wall time of a stretch of guest code per CPU time, in each round: for an idle machine first, then for a busy one. */
export const WALL_FACTOR = [1.2, 40] as const;

/** Time for messages, and for the timeout inside the cell to end the guest first. */
const GRACE_MS = 1000;
/** Resident memory of a cell without its guest. */
const CELL_MB = { script: 450, python: 900 };
/** How long the thread may sleep in each round. V8 parks the thread of an isolate that has no memory left. */
const STALL_MS = [600, 3000] as const;

/**
 * What a cell may use for a run before it is killed from outside. Every input of a program gets a new context, and the
 * time to make it does not count as the attempt's.
 */
export function cellLimits(
  language: Language,
  limits: RunLimits,
  inputs: number,
  round: 0 | 1,
): JobLimits {
  const freshMs = inputs * (language === 'python' ? 1000 : 20);
  const own = language === 'python' ? CELL_MB.python : CELL_MB.script;
  const firstWallMs = limits.cpuMs * WALL_FACTOR[0] + GRACE_MS;
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
