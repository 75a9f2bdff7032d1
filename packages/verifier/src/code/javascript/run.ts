/**
 * Runs one JavaScript attempt inside a cell: loads the program into a fresh realm, does what the plan
 * says, and reports what came of each test. Judges nothing.
 */
import { Budget, OutOfTime } from '../budget.ts';
import type { CodeJob, CodeRun, TestRun, Trouble } from '../job.ts';
import { placeInAnswer, readSyntaxError, wrapProgram } from './program.ts';
import { type GuestReply, Realm } from './realm.ts';

/** Turns of the guest's event loop that one test may take. */
const MAX_TURNS = 100_000;

let spare: Realm | undefined;

/** Makes the next job's realm ready. Called between jobs. */
export function warmUp(memoryMb = 64): void {
  if (spare && (spare.memoryMb !== memoryMb || spare.lost)) coolDown();
  spare ??= new Realm(memoryMb);
}

function coolDown(): void {
  spare?.dispose();
  spare = undefined;
}

function takeRealm(memoryMb: number): Realm {
  warmUp(memoryMb);
  const realm = spare!;
  spare = undefined;
  return realm;
}

export function runJavaScript(job: CodeJob): CodeRun {
  const session = new Session(job);
  const tests: TestRun[] = [];
  let load: Trouble | undefined;
  if (job.plan.kind === 'call') load = session.calls(job.plan, tests);
  return { ...(load ? { load } : {}), tests, cpuMs: session.budget.usedMs };
}

class Session {
  readonly #job: CodeJob;
  readonly budget: Budget;

  constructor(job: CodeJob) {
    this.#job = job;
    this.budget = new Budget(job.limits, job.patience);
  }

  /** All calls share one realm: what a module keeps between calls is kept, as in real life. */
  calls(
    plan: { readonly entry: string; readonly calls: readonly string[] },
    tests: TestRun[],
  ): Trouble | undefined {
    const realm = takeRealm(this.#job.limits.memoryMb);
    try {
      this.budget.nextTest();
      const trouble = this.#load(realm, '', [plan.entry, 'Solution']);
      if (trouble) return trouble;
      for (const args of plan.calls) {
        this.budget.nextTest();
        const run = this.#turns(realm, 'call', [plan.entry, args]);
        tests.push(run);
        const over = run.kind !== 'value' && (this.#job.stopAtTrouble || isFinal(run));
        if (over) break;
      }
      return undefined;
    } finally {
      realm.dispose();
    }
  }

  #load(realm: Realm, stdin: string, names: readonly string[]): Trouble | undefined {
    const { program } = this.#job;
    try {
      realm.check(program, 'answer.js');
    } catch (error) {
      return { kind: 'syntax', ...readSyntaxError((error as Error).message) };
    }
    realm.enter('prepare', [stdin, this.#job.limits.outputBytes], 1000);
    const run = this.#turns(realm, 'load', [wrapProgram(program, names)]);
    return run.kind === 'passed' ? undefined : (run as Trouble);
  }

  /** Enters the guest and turns its event loop until there is an answer. */
  #turns(realm: Realm, entry: 'load' | 'call', args: readonly string[]): TestRun {
    try {
      let reply = realm.enter(entry, args, this.budget.stretchMs()) as GuestReply;
      for (let turn = 0; reply[0] === 'pending'; turn++) {
        if (turn > MAX_TURNS) return { kind: 'open' };
        reply = realm.enter('poll', [], this.budget.stretchMs()) as GuestReply;
      }
      return this.budget.overdrawn ? { kind: 'time' } : readReply(reply);
    } catch (error) {
      return this.#ended(realm, error);
    }
  }

  /** Something ended the guest from outside, or it left a rejected promise behind. */
  #ended(realm: Realm, error: unknown): Trouble {
    if (error instanceof OutOfTime) return { kind: 'time' };
    if (realm.lost) return { kind: 'memory' };
    if (this.budget.stretchTimedOut) return { kind: this.budget.starved ? 'starved' : 'time' };
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'threw', name: 'UnhandledRejection', message: message.slice(0, 2000) };
  }
}

/** Trouble after which the realm cannot be used for another test. */
function isFinal(run: TestRun): boolean {
  return ['time', 'memory', 'starved', 'missing', 'exit'].includes(run.kind);
}

function readReply(reply: GuestReply): TestRun {
  const [kind, first = '', second = '', third = ''] = reply;
  switch (kind) {
    case 'value':
      return { kind: 'value', wire: first };
    case 'loaded':
      return { kind: 'passed' };
    case 'idle':
      return { kind: 'open' };
    case 'missing':
    case 'output':
    case 'exit':
      return { kind };
    case 'threw':
    case 'violation':
      return { kind, name: first, message: second, ...placeInAnswer(third) };
    default:
      return { kind: 'violation', name: 'SandboxError', message: 'the guest driver was changed' };
  }
}
