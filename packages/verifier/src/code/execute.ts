/**
 * A program that is run and not judged: what it printed on both streams, its exit code, and which
 * limit ended it. The same cells and limits as for verdicts; nothing is read out of fences.
 */
import type { Verdict, Void } from '../types.ts';
import type { CodeRequest, RawRun } from './desk.ts';
import { lineCount } from './extract.ts';
import type { CodeRun, Language, RunLimits, WholeRun } from './job.ts';

/** A program as it is to be run. */
export interface CodeProgram {
  readonly language: Language;
  readonly source: string;
  /** Default: empty. */
  readonly stdin?: string;
  readonly limits?: Partial<RunLimits>;
  /**
   * Files in the program's folder, Base64 by path: to be read, imported (Python) or required
   * (JavaScript), not to be written. See {@link problemOfPaths}.
   */
  readonly files?: Readonly<Record<string, string>>;
}

const LONGEST_PATH = 200;

/** Why these paths cannot be files beside a program; undefined where they can. */
export function problemOfPaths(paths: readonly string[]): string | undefined {
  const folders = new Set(paths.flatMap(foldersOf));
  for (const path of paths) {
    const problem = folders.has(path) ? 'must not be a folder of another' : problemOfPath(path);
    if (problem) return `the path ${JSON.stringify(path.slice(0, 80))} ${problem}`;
  }
  return undefined;
}

function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, LONGEST_PATH);
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}

function problemOfPath(path: string): string | undefined {
  if (path === '' || path.length > LONGEST_PATH) return `must have 1 to ${LONGEST_PATH} characters`;
  if (!/^[^\p{C}\\]+$/u.test(path)) return 'must be plain text without backslashes';
  const isPlain = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  return isPlain ? undefined : 'must be relative, without empty parts, "." and ".."';
}

/** How a program that was run came to its end. */
export type RunEnd =
  | 'exited'
  | 'time_limit'
  | 'memory_limit'
  | 'output_limit'
  | 'source_limit'
  | 'crashed';

/**
 * What a program did. Times are milliseconds; each stream holds at most `outputBytes`. After a limit
 * the streams hold what could still be read: nothing where the whole sandbox had to be ended.
 */
export interface Ran {
  readonly kind: 'ran';
  readonly end: RunEnd;
  /** Only where `end` is `exited`; 1 also for a program that does not compile. */
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** The request for a thread. The reference carries the language; its tests are not looked at. */
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
    program: { source, answerStart: 1, answerLines: lineCount(source), submittedStart: 1 },
    limits,
    raw: true,
    run: { stdin, files },
  };
}

/** A thread's reply as what the program did. A verdict instead means that a limit ended its cell. */
export function readRan(reply: RawRun | Verdict): Ran | Void {
  if (reply.kind === 'void') return reply;
  if (reply.kind === 'raw') return fromRun(reply.run, reply.usage.wallMs);
  const { status, cpuMs, wallMs } = reply;
  const end = status === 'time_limit' || status === 'memory_limit' ? status : 'crashed';
  return ended(end, cpuMs, wallMs);
}

/** A program that is too long to be run. */
export function tooLongToRun(): Ran {
  return ended('source_limit', 0, 0);
}

const ENDS: Record<WholeRun['end'], RunEnd> = {
  exited: 'exited',
  time: 'time_limit',
  output: 'output_limit',
};

function fromRun({ load, tests, cpuMs }: CodeRun, wallMs: number): Ran {
  const run = load ?? tests[0];
  if (run?.kind !== 'ran') return ended(endOf(run?.kind), cpuMs, wallMs);
  const { end, code, stdout, stderr } = run;
  return {
    kind: 'ran',
    end: ENDS[end] ?? 'crashed',
    ...(end === 'exited' ? { exitCode: Number(code) } : {}),
    stdout: String(stdout),
    stderr: String(stderr),
    cpuMs: round(cpuMs),
    wallMs: round(wallMs),
  };
}

function endOf(kind: string | undefined): RunEnd {
  if (kind === 'time') return 'time_limit';
  if (kind === 'memory') return 'memory_limit';
  return kind === 'output' ? 'output_limit' : 'crashed';
}

function ended(end: RunEnd, cpuMs: number, wallMs: number): Ran {
  return { kind: 'ran', end, stdout: '', stderr: '', cpuMs: round(cpuMs), wallMs: round(wallMs) };
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
