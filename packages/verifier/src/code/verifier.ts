/**
 * The code verifier as a library: verdicts on one attempt or many, from pools of cells that start when they are first
 * needed. `domain.ts` wraps it as a Domain.
 */
import { availableParallelism } from 'node:os';
import { errorMessage } from '@cipo/support';
import { sibling } from '../cells/command.ts';
import { CellPool } from '../cells/pool.ts';
import type { Finding } from '../codes.ts';
import { type Attempt, judged, type Task, type Verdict, type Void, voided } from '../types.ts';
import { checkerOf, verifyWithChecker } from './checker.ts';
import {
  type CodeProgram,
  problemOfPaths,
  type Ran,
  ranTooLong,
  readRan,
  runRequest,
} from './execute.ts';
import { assemble } from './extract.ts';
import type { Language, RunLimits } from './job.ts';
import { limitsFor, problemOfLimits } from './limits.ts';
import type { CodeReference } from './reference.ts';
import type { CodeRequest, RawRun } from './request.ts';
import { assertSandboxAvailable, runtimesFolder } from './runtimes.ts';

/** Options of {@link createCodeVerifier}. */
export interface CodeOptions {
  /** Number of cells per runtime (JavaScript, Python). Each is a process. Default: one per core. */
  readonly workers?: number;
  /** Limits for tasks that set none. They win over the defaults of the language. */
  readonly limits?: Partial<RunLimits>;
  /** How many attempts may wait for a cell. Above that a verdict is void, `overloaded`. Default: no limit. */
  readonly maxQueue?: number;
}

/** One attempt for {@link CodeVerifier.verifyMany}. */
export interface CodeItem {
  readonly task: Task<CodeReference>;
  /** A string is an attempt that ended normally. */
  readonly attempt: Attempt | string;
}

/** A verdict with the index of its item. */
export interface IndexedVerdict {
  readonly index: number;
  readonly verdict: Verdict;
}

/**
 * Makes a code verifier. It starts no process before the first attempt.
 * @throws {SandboxUnavailableError} if code cannot be verified in this process
 *
 * ```ts
 * const verifier = createCodeVerifier();
 * const task = parseCodeTask({ language: 'javascript', tests: { type: 'call', entry: 'add', cases: [{ args: [1, 2], expected: 3 }] } });
 * console.log((await verifier.verify(task, 'const add = (a, b) => a + b')).kind); // judged
 * await verifier.close();
 * ```
 */
export function createCodeVerifier(options: CodeOptions = {}): CodeVerifier {
  assertSandboxAvailable();
  return new CodeVerifier(options);
}

type Runtime = 'script' | 'python';
type Pool = CellPool<CodeRequest, Verdict | RawRun>;

/** How many items are verified at the same time per worker: enough to keep each busy, few enough to save memory. */
const ITEMS_PER_WORKER = 4;

/** Verifies and runs programs. Made by {@link createCodeVerifier}. */
export class CodeVerifier {
  readonly #options: CodeOptions;
  readonly #workers: number;
  readonly #pools = new Map<Runtime, Promise<Pool>>();
  #closed = false;

  /** @throws {RangeError} naming a limit that does not exist */
  constructor(options: CodeOptions) {
    const unknownLimit = problemOfLimits(options.limits ?? {});
    if (unknownLimit !== undefined) throw new RangeError(unknownLimit);
    this.#options = options;
    this.#workers = options.workers ?? availableParallelism();
  }

  /** Judges one attempt. Never rejects: an infrastructure failure is a void verdict. */
  async verify(
    task: Task<CodeReference>,
    attempt: Attempt | string,
    signal?: AbortSignal,
  ): Promise<Verdict> {
    if (this.#closed) return voided('aborted', 'the verifier is closed');
    const { reference } = task;
    const limits = this.#limitsOf(reference.language, reference.limits);
    const program = assemble(typeof attempt === 'string' ? attempt : attempt.text, reference);
    if (!program) return judgeUnreadable();
    if (program.source.length > limits.sourceChars) return judgeTooLong(limits.sourceChars);
    const request: CodeRequest = { reference, program, limits };
    if (checkerOf(reference)) {
      return verifyWithChecker(
        request,
        (language, own) => this.#limitsOf(language, own),
        (language, unjudged) => this.#runIn(language, unjudged, signal),
      );
    }
    const reply = await this.#runIn(reference.language, request, signal);
    return reply.kind === 'raw' ? voided('infra', 'the run was not judged') : reply;
  }

  /** Verdicts in the order of the items. */
  async *verifyMany(items: Iterable<CodeItem>, signal?: AbortSignal): AsyncGenerator<Verdict> {
    for await (const { verdict } of inOrder(this.verifyAsCompleted(items, signal))) yield verdict;
  }

  /** Verdicts in the order in which they complete. */
  async *verifyAsCompleted(
    items: Iterable<CodeItem>,
    signal?: AbortSignal,
  ): AsyncGenerator<IndexedVerdict> {
    const running = new Map<number, Promise<IndexedVerdict>>();
    const next = async () => {
      const done = await Promise.race(running.values());
      running.delete(done.index);
      return done;
    };
    let index = 0;
    for (const { task, attempt } of items) {
      const at = index++;
      const verifying = this.verify(task, attempt, signal);
      running.set(
        at,
        verifying.then((verdict) => ({ index: at, verdict })),
      );
      if (running.size >= this.#workers * ITEMS_PER_WORKER) yield await next();
    }
    while (running.size > 0) yield await next();
  }

  /**
   * Runs a program and returns what it printed and how it ended. Judges nothing. Never rejects.
   * ```ts
   * const ran = await verifier.run({ language: 'python', source: 'print(input()[::-1])', stdin: 'abc' });
   * console.log(ran.kind === 'ran' && ran.stdout); // cba
   * ```
   */
  async run(program: CodeProgram, signal?: AbortSignal): Promise<Ran | Void> {
    if (this.#closed) return voided('aborted', 'the verifier is closed');
    const limits = this.#limitsOf(program.language, program.limits ?? {});
    const unknownLimit = problemOfLimits(program.limits ?? {});
    if (unknownLimit) return voided('bad-task', unknownLimit);
    const problem = problemOfPaths(Object.keys(program.files ?? {}));
    if (problem) return voided('bad-task', `files: ${problem}`);
    if (program.source.length > limits.sourceChars) return ranTooLong();
    return readRan(await this.#runIn(program.language, runRequest(program, limits), signal));
  }

  /** Ends every process. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const pools = await Promise.allSettled(this.#pools.values());
    await Promise.all(pools.map((pool) => pool.status === 'fulfilled' && pool.value.close()));
  }

  #limitsOf(language: Language, own: Partial<RunLimits>): RunLimits {
    return limitsFor(language, this.#options.limits ?? {}, own);
  }

  async #runIn(
    language: Language,
    request: CodeRequest,
    signal?: AbortSignal,
  ): Promise<Verdict | RawRun> {
    let pool: Pool;
    try {
      pool = await this.#poolFor(language);
    } catch (error) {
      this.#pools.clear(); // the next attempt tries again
      return voided('infra', errorMessage(error));
    }
    const reply = await pool.run(request, signal);
    return reply.kind === 'result' ? reply.result : voided(reply.fault, reply.detail);
  }

  #poolFor(language: Language): Promise<Pool> {
    const runtime = language === 'python' ? 'python' : 'script';
    const existing = this.#pools.get(runtime);
    if (existing) return existing;
    const pool = openPool(runtime, this.#workers, this.#options);
    this.#pools.set(runtime, pool);
    return pool;
  }
}

/** Python needs deep recursion, and the stack of an isolate is that of its cell. */
const PYTHON_STACK_KB = 6000;

async function openPool(runtime: Runtime, workers: number, options: CodeOptions): Promise<Pool> {
  const common = {
    adapter: sibling(import.meta.url, './adapter'),
    threads: workers,
    ...(options.maxQueue === undefined ? {} : { maxQueue: options.maxQueue }),
  };
  if (runtime === 'script') {
    return new CellPool({
      ...common,
      entry: sibling(import.meta.url, './javascript/cell'),
      readable: [runtimesFolder()],
      // Contexts start from a snapshot. Rehashing its tables would take a tenth of that time.
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

function judgeUnreadable(): Verdict {
  const message = 'the response has no code';
  return judged('unreadable_answer', [policyFinding({ code: 'unreadable-answer', message })]);
}

function judgeTooLong(limitChars: number): Verdict {
  const message = `the program is longer than ${limitChars} characters`;
  const finding = policyFinding({ code: 'source-limit', message, details: { limitChars } });
  return judged('source_limit', [finding]);
}

function policyFinding(finding: Omit<Finding<'code'>, 'audience'>): Finding<'code'> {
  return { ...finding, audience: 'policy' };
}

/** Yields items by index. An item that comes before its turn waits. */
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
