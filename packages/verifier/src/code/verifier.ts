/**
 * The code verifier as a library: verdicts on attempts, one or many, from pools of cells that start
 * when they are first needed. The Domain plug-in in `domain.ts` is a thin coat over it.
 */

import { availableParallelism } from 'node:os';
import { CellPool, sibling } from '../cells/index.ts';
import type { Finding } from '../codes.ts';
import { type Attempt, judged, type Task, type Verdict, type Void, voided } from '../types.ts';
import { checkerOf, verifyWithChecker } from './checker.ts';
import type { CodeRequest, RawRun } from './desk.ts';
import {
  type CodeProgram,
  problemOfPaths,
  type Ran,
  readRan,
  runRequest,
  tooLongToRun,
} from './execute.ts';
import { assemble } from './extract.ts';
import type { Language, RunLimits } from './job.ts';
import { limitsFor } from './limits.ts';
import type { CodeReference } from './reference.ts';
import { assertSandboxAvailable, runtimesFolder } from './runtimes.ts';

export interface CodeOptions {
  /** Cells per kind of runtime, each a process of its own. Default: one per core. */
  readonly workers?: number;
  /** Limits where a task names none; over the language's own defaults. */
  readonly limits?: Partial<RunLimits>;
  /** Attempts that may wait for a cell. Beyond it a verdict is void, `overloaded`. */
  readonly maxQueue?: number;
}

/** One question for {@link CodeVerifier.verifyMany}. */
export interface CodeItem {
  readonly task: Task<CodeReference>;
  readonly attempt: Attempt | string;
}

export interface CodeVerifier {
  /** Judges one attempt. Never rejects: trouble of ours is a void verdict. */
  verify(
    task: Task<CodeReference>,
    attempt: Attempt | string,
    signal?: AbortSignal,
  ): Promise<Verdict>;
  /** Verdicts in the order of the items. */
  verifyMany(items: Iterable<CodeItem>, signal?: AbortSignal): AsyncGenerator<Verdict>;
  /** Verdicts as they come, each with the index of its item. */
  verifyAsCompleted(
    items: Iterable<CodeItem>,
    signal?: AbortSignal,
  ): AsyncGenerator<{ readonly index: number; readonly verdict: Verdict }>;
  /**
   * Runs a program as it is and tells what it printed and how it ended; judges nothing. Never rejects.
   * ```ts
   * const ran = await verifier.run({ language: 'python', source: 'print(input()[::-1])', stdin: 'abc' });
   * console.log(ran.kind === 'ran' && ran.stdout); // cba
   * ```
   */
  run(program: CodeProgram, signal?: AbortSignal): Promise<Ran | Void>;
  /** Ends every process. Safe to call twice. */
  close(): Promise<void>;
}

type Pool = CellPool<CodeRequest, Verdict | RawRun>;

/**
 * @throws {SandboxUnavailableError} if code cannot be verified in this process
 * ```ts
 * const verifier = createCodeVerifier();
 * const task = parseCodeTask({ language: 'javascript', tests: { type: 'call', entry: 'add', cases: [{ args: [1, 2], expected: 3 }] } });
 * console.log((await verifier.verify(task, 'const add = (a, b) => a + b')).kind); // judged
 * await verifier.close();
 * ```
 */
export function createCodeVerifier(options: CodeOptions = {}): CodeVerifier {
  assertSandboxAvailable();
  const workers = options.workers ?? availableParallelism();
  const pools = new Map<string, Promise<Pool>>();
  let closed = false;
  const poolFor = (language: Language): Promise<Pool> => {
    const runtime = language === 'python' ? 'python' : 'script';
    const known = pools.get(runtime);
    if (known) return known;
    const pool = openPool(runtime, workers, options);
    pools.set(runtime, pool);
    return pool;
  };

  const runIn = async (language: Language, request: CodeRequest, signal?: AbortSignal) => {
    let pool: Pool;
    try {
      pool = await poolFor(language);
    } catch (error) {
      pools.clear(); // the next attempt tries again
      return voided('infra', error instanceof Error ? error.message : String(error));
    }
    const reply = await pool.run(request, signal);
    return reply.kind === 'result' ? reply.result : voided(reply.fault, reply.detail);
  };
  const limitsOf = (language: Language, own: Partial<RunLimits>) =>
    limitsFor(language, options.limits ?? {}, own);

  const verify: CodeVerifier['verify'] = async (task, attempt, signal) => {
    if (closed) return voided('aborted', 'the verifier is closed');
    const text = typeof attempt === 'string' ? attempt : attempt.text;
    const { reference } = task;
    const limits = limitsOf(reference.language, reference.limits);
    const program = assemble(text, reference);
    if (!program) return unreadable();
    if (program.source.length > limits.sourceBytes) return tooLong(limits.sourceBytes);
    const request = { reference, program, limits };
    const run = (language: Language, asked: CodeRequest) => runIn(language, asked, signal);
    if (checkerOf(reference)) return verifyWithChecker(request, limitsOf, run);
    const reply = await run(reference.language, request);
    return reply.kind === 'raw' ? voided('infra', 'the run was not judged') : reply;
  };

  const run: CodeVerifier['run'] = async (program, signal) => {
    if (closed) return voided('aborted', 'the verifier is closed');
    const limits = limitsOf(program.language, program.limits ?? {});
    const problem = problemOfPaths(Object.keys(program.files ?? {}));
    if (problem) return voided('bad-task', `files: ${problem}`);
    if (program.source.length > limits.sourceBytes) return tooLongToRun();
    return readRan(await runIn(program.language, runRequest(program, limits), signal));
  };

  return {
    verify,
    run,
    async *verifyMany(items, signal) {
      for await (const { verdict } of inOrder(start(items, verify, workers, signal))) yield verdict;
    },
    verifyAsCompleted: (items, signal) => start(items, verify, workers, signal),
    async close() {
      closed = true;
      const opened = await Promise.allSettled(pools.values());
      await Promise.all(opened.map((pool) => pool.status === 'fulfilled' && pool.value.close()));
    },
  };
}

/** Python needs deep recursion, and an isolate's stack is the cell's. */
const PYTHON_STACK_KB = 6000;

async function openPool(
  runtime: 'script' | 'python',
  workers: number,
  options: CodeOptions,
): Promise<Pool> {
  const common = {
    desk: sibling(import.meta.url, './desk'),
    threads: workers,
    ...(options.maxQueue === undefined ? {} : { maxQueue: options.maxQueue }),
  };
  if (runtime === 'script') {
    return new CellPool({
      ...common,
      entry: sibling(import.meta.url, './javascript/cell'),
      readable: [runtimesFolder()],
      // Contexts are made from a snapshot, and sorting its tables by a hash of its own is a tenth of that.
      nodeFlags: ['--no-rehash-snapshot'],
    });
  }
  const { snapshotPath } = await import('./python/snapshot.ts');
  const snapshot = await snapshotPath();
  const memoryMb = limitsFor('python', options.limits ?? {}).memoryMb;
  return new CellPool({
    ...common,
    entry: sibling(import.meta.url, './python/cell'),
    args: [snapshot, String(memoryMb)],
    readable: [runtimesFolder(), snapshot],
    nodeFlags: [`--stack-size=${PYTHON_STACK_KB}`],
    dataMb: 4096,
    recycleRssMb: 700,
  });
}

function unreadable(): Verdict {
  const message = 'the response holds no code';
  return judged('unreadable_answer', [told({ code: 'unreadable-answer', message })]);
}

function tooLong(limit: number): Verdict {
  const message = `the program is longer than ${limit} characters`;
  return judged('source_limit', [
    told({ code: 'source-limit', message, details: { limitBytes: limit } }),
  ]);
}

const told = (finding: Omit<Finding<'code'>, 'audience'>): Finding<'code'> => ({
  ...finding,
  audience: 'policy',
});

/** Items in flight per worker: enough that no cell waits, few enough that memory stays flat. */
const IN_FLIGHT = 4;

async function* start(
  items: Iterable<CodeItem>,
  verify: CodeVerifier['verify'],
  workers: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ index: number; verdict: Verdict }> {
  const running = new Map<number, Promise<{ index: number; verdict: Verdict }>>();
  const next = async () => {
    const done = await Promise.race(running.values());
    running.delete(done.index);
    return done;
  };
  let index = 0;
  for (const { task, attempt } of items) {
    const at = index++;
    running.set(
      at,
      verify(task, attempt, signal).then((verdict) => ({ index: at, verdict })),
    );
    if (running.size >= workers * IN_FLIGHT) yield await next();
  }
  while (running.size > 0) yield await next();
}

/** Holds back what came early. */
async function* inOrder<T extends { readonly index: number }>(
  items: AsyncIterable<T>,
): AsyncGenerator<T> {
  const early = new Map<number, T>();
  let next = 0;
  for await (const item of items) {
    early.set(item.index, item);
    for (let ready = early.get(next); ready; ready = early.get(++next)) {
      early.delete(next);
      yield ready;
    }
  }
}
