/**
 * Runs one JavaScript or TypeScript attempt inside a cell: loads the program into a new realm, does what the plan says,
 * and returns what each test gave. Leaves out: judging.
 */
import { randomUUID } from 'node:crypto';
import { errorMessage } from '@cipo/support';
import { Budget, OutOfTime } from '../budget.ts';
import type { AbnormalEnd, CodeJob, CodeRun, Plan, ProgramRun, TestRun } from '../job.ts';
import { type Compiled, compile } from './compile.ts';
import { librariesFor } from './libraries.ts';
import { namesIn, wrapTests } from './names.ts';
import { type EntryName, type GuestReply, Realm } from './realm.ts';
import { transpile } from './transpile.ts';

/** Timeout for entries of the driver that run little or no code of the attempt. */
const SETUP_MS = 2000;
let spareRealm: Realm | undefined;

/** Makes the realm for the next job. Called between jobs, so that no attempt waits for it. */
export function warmUp(memoryMb = 64): void {
  if (spareRealm && (spareRealm.memoryMb !== memoryMb || spareRealm.isLost)) {
    spareRealm.dispose(false);
    spareRealm = undefined;
  }
  spareRealm ??= new Realm(memoryMb);
}

function takeRealm(memoryMb: number): Realm {
  warmUp(memoryMb);
  const realm = spareRealm ?? new Realm(memoryMb);
  spareRealm = undefined;
  return realm;
}

/** Runs one job. */
export function runJavaScript(job: CodeJob): CodeRun {
  const session = new Session(job);
  const { load, tests } = session.run();
  return { ...(load ? { load } : {}), tests, cpuMs: session.budget.usedMs };
}

/** What a session returns: `load` says why the program could not be loaded. */
type SessionRun = Omit<CodeRun, 'cpuMs'>;

class Session {
  readonly #job: CodeJob;
  readonly budget: Budget;
  #placeOf: Compiled['placeOf'] = () => undefined;
  /** Whether other attempts had used the isolate when this one began. */
  #isShared: boolean | undefined;
  /** Whether every program in the current realm has ended by itself. */
  #isClean = true;

  constructor(job: CodeJob) {
    this.#job = job;
    this.budget = new Budget(job.limits, job.wallFactor);
  }

  run(): SessionRun {
    const { plan } = this.#job;
    switch (plan.kind) {
      case 'call':
        return this.#inRealm((realm) => this.#runCalls(realm, plan));
      case 'stdio':
        return this.#runInputs(plan.inputs);
      case 'assert':
        return this.#inRealm((realm) => this.#runAsserts(realm, plan.tests));
      case 'run':
        return { tests: [this.#inRealm((realm) => this.#runProgram(realm, plan))] };
    }
  }

  #inRealm<T>(action: (realm: Realm) => T): T {
    const realm = this.budget.excludeSync(() => takeRealm(this.#job.limits.memoryMb));
    this.#isShared ??= realm.isShared;
    this.#isClean = true;
    try {
      this.budget.startTest();
      return action(realm);
    } finally {
      realm.dispose(this.#isClean);
    }
  }

  /** All calls share one realm: a module keeps its state between calls, as it does outside of tests. */
  #runCalls(realm: Realm, plan: Extract<Plan, { kind: 'call' }>): SessionRun {
    const [owner = '', method = ''] = plan.entry.split('.');
    const loaded = this.#load(realm, '', method ? [owner] : [owner, 'Solution']);
    if (loaded.kind !== 'passed') return { load: loaded, tests: [] };
    const tests: TestRun[] = [];
    for (const args of plan.calls) {
      this.budget.startTest();
      const run = this.#enterUntilSettled(realm, 'call', [owner, method, args]);
      tests.push(run);
      if (run.kind !== 'value' && (this.#job.stopAtAbnormalEnd || isFinal(run))) break;
    }
    return { tests };
  }

  /** Every input gets a new run of the program, in a new realm. */
  #runInputs(inputs: readonly string[]): SessionRun {
    const tests: TestRun[] = [];
    for (const input of inputs) {
      const run = this.#inRealm((realm) => this.#runInput(realm, input));
      if (run.kind === 'syntax') return { load: run, tests };
      tests.push(run);
      if (run.kind === 'starved' || this.budget.isAttemptOver) break;
      if (run.kind !== 'printed' && this.#job.stopAtAbnormalEnd) break;
    }
    return { tests };
  }

  #runInput(realm: Realm, input: string): TestRun {
    const loaded = this.#load(realm, input, []);
    const end = loaded.kind === 'passed' ? this.#enterUntilSettled(realm, 'drain', []) : loaded;
    if (end.kind === 'exit' && end.code !== '0') {
      return { kind: 'threw', name: 'Exit', message: `the program ended with code ${end.code}` };
    }
    if (end.kind !== 'passed' && end.kind !== 'exit' && end.kind !== 'open') return end;
    try {
      return { kind: 'printed', text: String(realm.enter('stdout', [], SETUP_MS)) };
    } catch (error) {
      return this.#endOfError(realm, error);
    }
  }

  /** Runs the program without tests. */
  #runProgram(realm: Realm, { stdin, files }: Extract<Plan, { kind: 'run' }>): TestRun {
    for (const file of Object.entries(files)) realm.enter('file', file, SETUP_MS);
    const loaded = this.#load(realm, stdin, []);
    const programEnd =
      loaded.kind === 'passed' ? this.#enterUntilSettled(realm, 'drain', []) : loaded;
    if (programEnd.kind === 'memory' || programEnd.kind === 'starved') return programEnd;
    const { end, code, words } = exitOf(programEnd, () => this.#readText(realm, 'exitCode'));
    const { outputChars } = this.#job.limits;
    const stderr = `${this.#readText(realm, 'stderr')}${words}`.slice(0, outputChars);
    return { kind: 'ran', end, code, stdout: this.#readText(realm, 'stdout'), stderr };
  }

  /** Reads a text from a realm, also after a limit has ended its program. Empty if it cannot be read. */
  #readText(realm: Realm, entry: 'stdout' | 'stderr' | 'exitCode' | 'exited' | 'failed'): string {
    if (realm.isLost) return '';
    try {
      return String(realm.enter(entry, [], SETUP_MS));
    } catch {
      this.#isClean = false;
      return '';
    }
  }

  /** The test program runs in its own scope over the names that it mentions. */
  #runAsserts(realm: Realm, source: string): SessionRun {
    const program = this.#toScript(source);
    if (program === undefined) {
      return { load: { kind: 'broken-tests', message: 'it cannot be parsed' }, tests: [] };
    }
    const names = namesIn(program);
    const loaded = this.#load(realm, '', names, program);
    if (loaded.kind !== 'passed') return { load: loaded, tests: [] };
    const declared = names.filter((_, i) => loaded.declared[i] === '1');
    const sentinel = randomUUID();
    const { script, isSloppy } = wrapTests(program, declared, sentinel, (text) =>
      realm.check(text, 'tests.js'),
    );
    const run = this.#enterUntilSettled(realm, 'test', [script, isSloppy]);
    const isComplete = run.kind === 'value' && run.wire === JSON.stringify(sentinel);
    // Callbacks of the tests may still fail. An exit does not count as passed, because it could prevent that.
    const end = isComplete ? this.#enterUntilSettled(realm, 'linger', []) : run;
    const isFailed = end.kind === 'passed' && this.#readText(realm, 'failed') !== 'false';
    return { tests: [end.kind === 'value' || isFailed ? { kind: 'exit' } : end] };
  }

  /** The test program as a script. Undefined if it cannot be parsed, which is the fault of the task. */
  #toScript(source: string): string | undefined {
    const isTypeScript = this.#job.language === 'typescript';
    if (!isTypeScript && !/^\s*(import|export)\b/m.test(source)) return source;
    try {
      return transpile(source, isTypeScript).code;
    } catch {
      return undefined;
    }
  }

  #load(
    realm: Realm,
    stdin: string,
    names: readonly string[],
    tests?: string,
  ): AbnormalEnd | { readonly kind: 'passed'; readonly declared: string } {
    const { program, language, limits, plan } = this.#job;
    const compiled = compile(realm, program, language, names);
    if ('kind' in compiled) return compiled;
    this.#placeOf = compiled.placeOf;
    for (const [name, text] of librariesFor(program, tests ?? '')) {
      realm.enter('library', [name, text], SETUP_MS);
    }
    const { outputChars } = limits;
    const errorChars = plan.kind === 'run' ? outputChars : 0;
    realm.enter('prepare', [stdin, outputChars, tests !== undefined, errorChars], SETUP_MS);
    const run = this.#enterUntilSettled(realm, 'load', [compiled.script]);
    return run.kind === 'passed'
      ? { kind: 'passed', declared: run.declared ?? '' }
      : (run as AbnormalEnd);
  }

  /** Enters the guest, then turns its event loop until there is a reply. */
  #enterUntilSettled(realm: Realm, entry: EntryName, args: readonly (string | boolean)[]): TestRun {
    const nextEntry = entry === 'drain' || entry === 'linger' ? entry : 'poll';
    try {
      let reply = realm.enter(entry, args, this.budget.stretchMs()) as GuestReply;
      while (reply[0] === 'pending') {
        reply = realm.enter(nextEntry, [], this.budget.stretchMs()) as GuestReply;
      }
      return this.budget.isExceeded ? { kind: 'time' } : this.#readReply(reply);
    } catch (error) {
      return this.#endOfError(realm, error);
    }
  }

  /** Something ended the guest from outside, or it left a rejected promise behind. */
  #endOfError(realm: Realm, error: unknown): AbnormalEnd {
    this.#isClean = false;
    if (error instanceof OutOfTime) return { kind: 'time' };
    // Other attempts may have used the memory of a shared isolate: the attempt runs again in a new one.
    if (realm.isLost) return { kind: this.#isShared ? 'starved' : 'memory' };
    if (this.budget.hasTimedOut) return { kind: this.budget.isStarved ? 'starved' : 'time' };
    const code = this.#readText(realm, 'exited');
    if (code !== '') return { kind: 'exit', code };
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    return {
      kind: 'threw',
      name: 'UnhandledRejection',
      message: errorMessage(error).slice(0, 2000),
      ...this.#placeOf(stack),
    };
  }

  #readReply(reply: GuestReply): TestRun {
    const [kind, first = '', second = '', third = ''] = reply;
    switch (kind) {
      case 'value':
        return { kind: 'value', wire: first };
      case 'loaded':
        return { kind: 'passed', declared: first };
      case 'drained':
        return { kind: 'passed' };
      case 'idle':
        return { kind: 'open' };
      case 'exit':
        return { kind: 'exit', code: first };
      case 'missing':
      case 'output':
        return { kind };
      case 'threw':
      case 'violation':
        return { kind, name: first, message: second, ...this.#placeOf(third) };
      default:
        return { kind: 'violation', name: 'SandboxError', message: 'the guest driver was changed' };
    }
  }
}

/** Whether the realm cannot be used for another test. */
function isFinal(run: TestRun): boolean {
  return ['time', 'memory', 'starved', 'missing', 'exit'].includes(run.kind);
}

/** The exit code of a program, and what Node would print when it ends. */
function exitOf(
  programEnd: TestRun,
  readExitCode: () => string,
): { end: ProgramRun['end']; code: number; words: string } {
  switch (programEnd.kind) {
    case 'time':
    case 'output':
      return { end: programEnd.kind, code: 0, words: '' };
    case 'open': // a top-level promise that nothing can settle
      return { end: 'exited', code: 13, words: '' };
    case 'exit':
      return { end: 'exited', code: parseExitCode(programEnd.code), words: '' };
    case 'syntax':
      return { end: 'exited', code: 1, words: formatError('SyntaxError', programEnd) };
    case 'threw':
    case 'violation':
      return { end: 'exited', code: 1, words: formatError(programEnd.name, programEnd) };
    default:
      return { end: 'exited', code: parseExitCode(readExitCode()), words: '' };
  }
}

function formatError(
  name: string,
  { message, line, column }: { message: string; line?: number; column?: number },
): string {
  const place = line === undefined ? '' : `    at answer.js:${line}:${column ?? 1}\n`;
  return `${name}: ${message}\n${place}`;
}

function parseExitCode(text: string | undefined): number {
  const code = Number(text);
  return Number.isFinite(code) ? code & 255 : 1;
}
