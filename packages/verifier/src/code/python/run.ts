/**
 * Runs Python attempts inside a cell: one sealed interpreter, restored to its snapshot after every program. Leaves out:
 * judging.
 */
import { randomUUID } from 'node:crypto';
import { MIB } from '@cipo/support';
import { Budget, OutOfTime } from '../budget.ts';
import type { AbnormalEnd, CodeJob, CodeRun, TestRun } from '../job.ts';
import { type Interpreter, startInterpreter } from './boot.ts';

/** An interpreter with more memory than this is replaced: wasm memory never shrinks. */
const MAX_KEPT_BYTES = 96 * MIB;
/** Reply bytes for the messages of all tests, in addition to the output. */
const REPLY_MARGIN_BYTES = 4 * MIB;

/** The reply of the runner (`guest/python/runner.py`) to one job. */
interface Reply {
  readonly load?: AbnormalEnd;
  readonly tests?: readonly TestRun[];
}

/** Owns the interpreter of a cell. */
export class PythonRunner {
  readonly #snapshot: Uint8Array;
  #memoryMb = 256;
  #interpreter: Interpreter | undefined;
  #used = false;

  constructor(snapshot: Uint8Array) {
    this.#snapshot = snapshot;
  }

  /** Makes a clean interpreter: restores the current one or starts another. */
  async ready(memoryMb = this.#memoryMb): Promise<void> {
    if (memoryMb !== this.#memoryMb) this.#drop();
    this.#memoryMb = memoryMb;
    if (this.#used) this.#restore();
    this.#interpreter ??= await this.#boot();
  }

  async #boot(): Promise<Interpreter> {
    const interpreter = await startInterpreter(this.#snapshot, this.#memoryMb);
    interpreter.restore();
    return interpreter;
  }

  #restore(): void {
    this.#used = false;
    try {
      if (this.#interpreter && this.#interpreter.restore() <= MAX_KEPT_BYTES) return;
    } catch {
      // a limit has ended the interpreter: it is replaced below
    }
    this.#drop();
  }

  #drop(): void {
    this.#interpreter?.dispose();
    this.#interpreter = undefined;
  }

  /** Runs one job. */
  async run(job: CodeJob): Promise<CodeRun> {
    const budget = new Budget(job.limits, job.wallFactor);
    const { plan, program, stopAtAbnormalEnd } = job;
    const { outputChars } = job.limits;
    const common = { program, outputChars, stopAtAbnormalEnd };
    if (plan.kind === 'stdio') return this.#runInputs(job, plan.inputs, budget);
    if (plan.kind === 'run') {
      for (const [path, bytes] of Object.entries(plan.files)) {
        this.#interpreter!.put(path, Buffer.from(bytes, 'base64'));
      }
      this.#used = true;
      const request = { ...common, kind: 'run', stdin: plan.stdin };
      return toRun(this.#enter(request, outputChars * 2, budget), budget);
    }
    const sentinel = randomUUID();
    const request =
      plan.kind === 'call'
        ? { ...common, kind: 'call', entry: plan.entry, calls: plan.calls }
        : { ...common, kind: 'assert', tests: plan.tests, sentinel };
    const reply = this.#enter(request, outputChars, budget);
    return toRun(plan.kind === 'assert' ? rejectForged(reply, sentinel) : reply, budget);
  }

  /** Every input gets a new run of the program, in a restored interpreter. */
  async #runInputs(job: CodeJob, inputs: readonly string[], budget: Budget): Promise<CodeRun> {
    const { program } = job;
    const { outputChars } = job.limits;
    const tests: TestRun[] = [];
    for (const stdin of inputs) {
      await budget.exclude(() => this.ready());
      budget.startTest();
      const request = { kind: 'stdio', program, stdin, outputChars };
      const reply = this.#enter(request, outputChars, budget);
      if (reply.load) {
        if (reply.load.kind === 'syntax') return toRun(reply, budget);
        tests.push(reply.load);
      } else tests.push(...(reply.tests ?? []));
      const last = tests.at(-1)?.kind;
      if (last === 'starved' || budget.isAttemptOver) break;
      if (last !== 'printed' && job.stopAtAbnormalEnd) break;
    }
    return { tests, cpuMs: budget.usedMs };
  }

  #enter(request: object, outputChars: number, budget: Budget): Reply {
    this.#used = true;
    const interpreter = this.#interpreter!;
    try {
      // JSON writes a character in up to six bytes.
      const text = interpreter.run(
        JSON.stringify(request),
        outputChars * 6 + REPLY_MARGIN_BYTES,
        budget.stretchMs(),
      );
      if (budget.isExceeded) return { load: { kind: 'time' } };
      return text.startsWith('!') ? { load: readSealReport(text) } : readReply(text);
    } catch (error) {
      return { load: this.#endOfError(interpreter, budget, error) };
    }
  }

  #endOfError(interpreter: Interpreter, budget: Budget, error: unknown): AbnormalEnd {
    if (error instanceof OutOfTime) return { kind: 'time' };
    if (interpreter.isLost) return { kind: 'memory' };
    if (budget.hasTimedOut) return { kind: budget.isStarved ? 'starved' : 'time' };
    return { kind: 'threw', name: 'Error', message: String(error).slice(0, 300) };
  }
}

/** A result `passed` without the sentinel was not written by the runner. */
function rejectForged(reply: Reply, sentinel: string): Reply {
  const tests = reply.tests?.map((run): TestRun => {
    if (run.kind !== 'passed' || run.declared === sentinel) return run;
    return {
      kind: 'violation',
      name: 'SandboxError',
      message: 'the result of the tests was forged',
    };
  });
  return { ...reply, ...(tests ? { tests } : {}) };
}

function toRun(reply: Reply, budget: Budget): CodeRun {
  const { load, tests = [] } = reply;
  return { ...(load ? { load } : {}), tests, cpuMs: budget.usedMs };
}

/** Reads `!violation`, `!output`, `!unreadable` or `!crash`, which `guest/python/seal.js` writes instead of a reply. */
function readSealReport(text: string): AbnormalEnd {
  const [kind, ...words] = text.slice(1).split(' ');
  const message = words.join(' ');
  if (kind === 'output' || kind === 'unreadable') return { kind: 'output' };
  if (kind === 'violation') {
    return { kind: 'violation', name: 'SandboxError', message: `${message} is not available` };
  }
  if (/call stack/i.test(message)) {
    return { kind: 'threw', name: 'RecursionError', message: 'the call stack is full' };
  }
  if (/ExitStatus|exit\(|Program terminated/i.test(message)) return { kind: 'exit' };
  return { kind: 'threw', name: 'FatalError', message: 'the interpreter crashed' };
}

function readReply(text: string): Reply {
  const reply: unknown = JSON.parse(text);
  return typeof reply === 'object' && reply !== null ? reply : {};
}
