/**
 * What Linux says about a process from outside: resident memory and the CPU time of its main thread.
 * Every reader answers `undefined` where there is no `/proc` or the process is gone.
 */
import { readFileSync } from 'node:fs';

const PAGE_KB = 4;

/** Resident memory in MB. */
export function residentMb(pid: number): number | undefined {
  const pages = Number(read(pid, 'statm')?.split(' ')[1]);
  return Number.isFinite(pages) ? (pages * PAGE_KB) / 1024 : undefined;
}

/** What the scheduler says about the main thread, in milliseconds since it started. */
export interface ThreadTimes {
  /** On a core. */
  readonly cpuMs: number;
  /** Ready to run, waiting for a core. A thread in which neither grows is asleep. */
  readonly waitMs: number;
}

export function mainThreadTimes(pid: number): ThreadTimes | undefined {
  const [cpuNs, waitNs] = (read(pid, 'schedstat') ?? '').split(' ').map(Number);
  if (!cpuNs || waitNs === undefined) return undefined;
  return { cpuMs: cpuNs / 1e6, waitMs: waitNs / 1e6 };
}

function read(pid: number, file: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined; // gone between two looks: its exit event says the rest
  }
}
