/**
 * Runs a program without judging it: what it printed on both streams, its exit code, and which limit ended it. Uses the
 * same cells and limits as verdicts do. Leaves out: reading the program out of a response.
 */
import type { Verdict, Void } from '../types.ts';
import { countLines } from './extract.ts';
import type { CodeRun, Language, ProgramRun, RunLimits } from './job.ts';
import type { CodeRequest, RawRun } from './request.ts';

/** A program to be run. */
export interface CodeProgram {
  readonly language: Language;
  readonly source: string;
  /** Standard input. Default: empty. */
  readonly stdin?: string;
  readonly limits?: Partial<RunLimits>;
  /**
   * Files in the folder of the program: Base64 by relative path. The program may read, import (Python) or require
   * (JavaScript) them, and not write them. See {@link problemOfPaths}.
   */
  readonly files?: Readonly<Record<string, string>>;
}

const MAX_PATH_CHARS = 200;

/** Why these paths cannot be files beside a program. Undefined if they can. */
export function problemOfPaths(paths: readonly string[]): string | undefined {
  const folders = new Set(paths.flatMap(foldersOf));
  for (const path of paths) {
    const problem = folders.has(path) ? 'must not be a folder of another' : problemOfPath(path);
    if (problem) return `the path ${JSON.stringify(path.slice(0, 80))} ${problem}`;
  }
  return undefined;
}

function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, MAX_PATH_CHARS);
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}

function problemOfPath(path: string): string | undefined {
  if (path === '' || path.length > MAX_PATH_CHARS) {
    return `must have 1 to ${MAX_PATH_CHARS} characters`;
  }
  if (!/^[^\p{C}\\]+$/u.test(path)) return 'must be plain text without backslashes';
  const isPlain = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  return isPlain ? undefined : 'must be relative, without empty parts, "." and ".."';
}

/** How a program that was run ended: by itself, at a limit, or by crashing its cell. */
export type RunEnd =
  | 'exited'
  | 'time_limit'
  | 'memory_limit'
  | 'output_limit'
  | 'source_limit'
  | 'crashed';

/**
 * What a program did. Each stream holds at most `outputChars` characters. After a limit the streams hold what could
 * still be read, which is nothing if the whole cell was killed.
 */
export interface Ran {
  readonly kind: 'ran';
  readonly end: RunEnd;
  /** Present only if `end` is `exited`. It is 1 for a program that does not compile. */
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** The request for a thread of the pool. Its reference carries the language; its tests are not used. */
export function runRequest(program: CodeProgram, limits: RunLimits): CodeRequest {
  const { language, source, stdin = '', files = {} } = program;
  return {
    reference: {
      language,
      prefix: '',
      setup: { before: '', after: '' },
      tests: { type: 'assert', code: '', visible: false },
      limits,
      stopAtFirst: false,
    },
    program: { source, codeStart: 1, codeLines: countLines(source), submittedStart: 1 },
    limits,
    raw: true,
    run: { stdin, files },
  };
}

/** Turns the reply of a thread into what the program did. A judged verdict means that a limit ended its cell. */
export function readRan(reply: RawRun | Verdict): Ran | Void {
  if (reply.kind === 'void') return reply;
  if (reply.kind === 'raw') return ranOfRun(reply.run, reply.usage.wallMs);
  const { status, cpuMs, wallMs } = reply;
  const end = status === 'time_limit' || status === 'memory_limit' ? status : 'crashed';
  return ranWithoutOutput(end, cpuMs, wallMs);
}

/** The result for a program that is longer than its limit and is not run. */
export function ranTooLong(): Ran {
  return ranWithoutOutput('source_limit', 0, 0);
}

const ENDS: Record<ProgramRun['end'], RunEnd> = {
  exited: 'exited',
  time: 'time_limit',
  output: 'output_limit',
};

function ranOfRun({ load, tests, cpuMs }: CodeRun, wallMs: number): Ran {
  const run = load ?? tests[0];
  if (run?.kind !== 'ran') return ranWithoutOutput(endOf(run?.kind), cpuMs, wallMs);
  const { end, code, stdout, stderr } = run;
  return {
    kind: 'ran',
    end: ENDS[end] ?? 'crashed',
    ...(end === 'exited' ? { exitCode: Number(code) } : {}),
    stdout: String(stdout),
    stderr: String(stderr),
    cpuMs: roundMs(cpuMs),
    wallMs: roundMs(wallMs),
  };
}

function endOf(kind: string | undefined): RunEnd {
  if (kind === 'time') return 'time_limit';
  if (kind === 'memory') return 'memory_limit';
  return kind === 'output' ? 'output_limit' : 'crashed';
}

function ranWithoutOutput(end: RunEnd, cpuMs: number, wallMs: number): Ran {
  const times = { cpuMs: roundMs(cpuMs), wallMs: roundMs(wallMs) };
  return { kind: 'ran', end, stdout: '', stderr: '', ...times };
}

function roundMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}
