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

/** CPU time of the main thread in milliseconds since it started. */
export function mainThreadCpuMs(pid: number): number | undefined {
  const ns = Number(read(pid, 'schedstat')?.split(' ')[0]);
  return Number.isFinite(ns) && ns > 0 ? ns / 1e6 : undefined;
}

/** Is the main thread asleep: neither on a core nor waiting for one? `undefined` when unknown. */
export function mainThreadSleeps(pid: number): boolean | undefined {
  // The name before the state may hold anything, closing brackets too.
  const state = read(pid, 'stat')?.replace(/^.*\) /s, '')[0];
  return state === undefined ? undefined : state === 'S';
}

function read(pid: number, file: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined; // gone between two looks: its exit event says the rest
  }
}
