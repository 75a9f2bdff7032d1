/**
 * Reads from Linux's `/proc` what a process uses: resident memory and the CPU time of its main thread. Every function
 * returns undefined on systems without `/proc` and for a process that has ended.
 */
import { readFileSync } from 'node:fs';

const PAGE_KB = 4;

/** Resident memory in MB. */
export function residentMb(pid: number): number | undefined {
  const pages = Number(readProcFile(pid, 'statm')?.split(' ')[1]);
  return Number.isFinite(pages) ? (pages * PAGE_KB) / 1024 : undefined;
}

/** CPU milliseconds of the main thread since it started. */
export function mainThreadCpuMs(pid: number): number | undefined {
  const ns = Number(readProcFile(pid, 'schedstat')?.split(' ')[0]);
  return Number.isFinite(ns) && ns > 0 ? ns / 1e6 : undefined;
}

/** Whether the main thread is asleep: neither on a core nor waiting for one. */
export function isMainThreadAsleep(pid: number): boolean | undefined {
  // The process name before the state may contain any character, closing brackets too.
  const state = readProcFile(pid, 'stat')?.replace(/^.*\) /s, '')[0];
  return state === undefined ? undefined : state === 'S';
}

function readProcFile(pid: number, file: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined; // the process has ended; its exit event reports that
  }
}
