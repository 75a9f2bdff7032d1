/**
 * Runs Python attempts inside a cell: one sealed interpreter, put back to its snapshot after every
 * program. Judges nothing.
 */
import { randomUUID } from 'node:crypto';
import { Budget, OutOfTime } from '../budget.ts';
import type { CodeJob, CodeRun, TestRun, Trouble } from '../job.ts';
import { type Interpreter, startInterpreter } from './boot.ts';

/** An interpreter whose memory has grown beyond this is replaced: wasm memory never shrinks. */
const KEEP_BYTES = 96 << 20;

/** What the runner answers for one job. */
interface Reply {
  readonly load?: Trouble;
  readonly tests?: readonly TestRun[];
}

export class PythonRunner {
  readonly #snapshot: Uint8Array;
  #memoryMb = 256;
  #interpreter: Interpreter | undefined;
  #used = false;

  constructor(snapshot: Uint8Array) {
    this.#snapshot = snapshot;
  }

  /** Makes a clean interpreter ready, by putting back the one there is or by starting another. */
  async ready(memoryMb = this.#memoryMb): Promise<void> {
    if (memoryMb !== this.#memoryMb) this.#drop();
    this.#memoryMb = memoryMb;
    if (this.#used) this.#putBack();
    this.#interpreter ??= await this.#boot();
  }

  async #boot(): Promise<Interpreter> {
    const interpreter = await startInterpreter(this.#snapshot, this.#memoryMb);
    interpreter.restore();
    return interpreter;
  }

  #putBack(): void {
    this.#used = false;
    try {
      if (this.#interpreter && this.#interpreter.restore() <= KEEP_BYTES) return;
    } catch {
      // lost to a limit: replaced below
    }
    this.#drop();
  }

  #drop(): void {
    this.#interpreter?.dispose();
    this.#interpreter = undefined;
  }

  async run(job: CodeJob): Promise<CodeRun> {
    const budget = new Budget(job.limits, job.patience);
    const { plan, program, limits, stopAtTrouble } = job;
    const common = { program, outputBytes: limits.outputBytes, stopAtTrouble };
    if (plan.kind === 'stdio') return this.#programs(job, plan.inputs, budget);
    if (plan.kind === 'run') {
      for (const [path, bytes] of Object.entries(plan.files)) {
        this.#interpreter!.put(path, Buffer.from(bytes, 'base64'));
      }
      this.#used = true;
      const request = { ...common, kind: 'run', stdin: plan.stdin };
      return finish(this.#enter(request, limits.outputBytes * 2, budget), budget);
    }
    const sentinel = randomUUID();
    const request =
      plan.kind === 'call'
        ? { ...common, kind: 'call', entry: plan.entry, calls: plan.calls }
        : { ...common, kind: 'assert', tests: plan.tests, sentinel };
    const reply = this.#enter(request, limits.outputBytes, budget);
    return finish(plan.kind === 'assert' ? withSentinel(reply, sentinel) : reply, budget);
  }

  /** Every input gets the interpreter as it was in the beginning. */
  async #programs(job: CodeJob, inputs: readonly string[], budget: Budget): Promise<CodeRun> {
    const { program, limits } = job;
    const tests: TestRun[] = [];
    for (const stdin of inputs) {
      await budget.outside(() => this.ready());
      budget.nextTest();
      const request = { kind: 'stdio', program, stdin, outputBytes: limits.outputBytes };
      const reply = this.#enter(request, limits.outputBytes, budget);
      if (reply.load) {
        if (reply.load.kind === 'syntax') return finish(reply, budget);
        tests.push(reply.load);
      } else tests.push(...(reply.tests ?? []));
      const last = tests.at(-1)?.kind;
      if (last === 'starved' || budget.spent || (last !== 'printed' && job.stopAtTrouble)) break;
    }
    return { tests, cpuMs: budget.usedMs };
  }

  #enter(request: object, outputBytes: number, budget: Budget): Reply {
    this.#used = true;
    const interpreter = this.#interpreter!;
    try {
      // Room for text that JSON writes longer than it is, and for every test's words.
      const text = interpreter.run(
        JSON.stringify(request),
        outputBytes * 6 + (1 << 22),
        budget.stretchMs(),
      );
      if (budget.overdrawn) return { load: { kind: 'time' } };
      return text.startsWith('!') ? { load: readAlarm(text) } : readReply(text);
    } catch (error) {
      return { load: this.#ended(interpreter, budget, error) };
    }
  }

  #ended(interpreter: Interpreter, budget: Budget, error: unknown): Trouble {
    if (error instanceof OutOfTime) return { kind: 'time' };
    if (interpreter.lost) return { kind: 'memory' };
    if (budget.stretchTimedOut) return { kind: budget.starved ? 'starved' : 'time' };
    return { kind: 'threw', name: 'Error', message: String(error).slice(0, 300) };
  }
}

/** Tests that say they passed without the word that stands at their end were forged. */
function withSentinel(reply: Reply, sentinel: string): Reply {
  const tests = reply.tests?.map((run): TestRun => {
    if (run.kind !== 'passed' || run.declared === sentinel) return run;
    return { kind: 'violation', name: 'SandboxError', message: 'the end of the tests was forged' };
  });
  return { ...reply, ...(tests ? { tests } : {}) };
}

function finish(reply: Reply, budget: Budget): CodeRun {
  const { load, tests = [] } = reply;
  return { ...(load ? { load } : {}), tests, cpuMs: budget.usedMs };
}

/** `!violation`, `!output`, `!crash` of the seal. */
function readAlarm(text: string): Trouble {
  const [kind, ...words] = text.slice(1).split(' ');
  const message = words.join(' ');
  if (kind === 'output' || kind === 'unreadable') return { kind: 'output' };
  if (kind === 'violation') {
    return { kind: 'violation', name: 'SandboxError', message: `${message} is not available` };
  }
  if (/call stack/i.test(message)) {
    return { kind: 'threw', name: 'RecursionError', message: 'the stack is full' };
  }
  if (/ExitStatus|exit\(|Program terminated/i.test(message)) return { kind: 'exit' };
  return { kind: 'threw', name: 'FatalError', message: 'the interpreter was brought down' };
}

function readReply(text: string): Reply {
  const reply: unknown = JSON.parse(text);
  return typeof reply === 'object' && reply !== null ? reply : {};
}
