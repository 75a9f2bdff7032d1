/**
 * Runs one JavaScript or TypeScript attempt inside a cell: loads the program into a fresh realm, does
 * what the plan says, and reports what came of each test. Judges nothing.
 */
import { randomUUID } from 'node:crypto';
import { Budget, OutOfTime } from '../budget.ts';
import type { CodeJob, CodeRun, Plan, TestRun, Trouble, WholeRun } from '../job.ts';
import { type Compiled, compile } from './compile.ts';
import { librariesFor } from './libraries.ts';
import { namesIn, wrapTests } from './names.ts';
import { type EntryName, type GuestReply, Realm } from './realm.ts';
import { transpile } from './transpile.ts';

const SETUP_MS = 2000;
let spare: Realm | undefined;

/** Makes the next job's realm ready. Called between jobs. */
export function warmUp(memoryMb = 64): void {
  if (spare && (spare.memoryMb !== memoryMb || spare.lost)) {
    spare.dispose(false);
    spare = undefined;
  }
  spare ??= new Realm(memoryMb);
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
  const load = session.run(tests);
  return { ...(load ? { load } : {}), tests, cpuMs: session.budget.usedMs };
}

class Session {
  readonly #job: CodeJob;
  readonly budget: Budget;
  #place: Compiled['place'] = () => undefined;
  /** Had other attempts used the isolate when this one began? */
  #worn: boolean | undefined;
  /** Has every program so far come to its end by itself? */
  #clean = true;

  constructor(job: CodeJob) {
    this.#job = job;
    this.budget = new Budget(job.limits, job.patience);
  }

  /** Fills in what came of each test; answers what kept the program from coming up. */
  run(tests: TestRun[]): Trouble | undefined {
    const { plan } = this.#job;
    switch (plan.kind) {
      case 'call':
        return this.#inRealm((realm) => this.#calls(realm, plan, tests));
      case 'stdio':
        return this.#programs(plan.inputs, tests);
      case 'assert':
        return this.#inRealm((realm) => this.#asserts(realm, plan.tests, tests));
      case 'run':
        tests.push(this.#inRealm((realm) => this.#whole(realm, plan)));
        return undefined;
    }
  }

  #inRealm<T>(action: (realm: Realm) => T): T {
    const realm = this.budget.outsideSync(() => takeRealm(this.#job.limits.memoryMb));
    this.#worn ??= realm.worn;
    this.#clean = true;
    try {
      this.budget.nextTest();
      return action(realm);
    } finally {
      realm.dispose(this.#clean);
    }
  }

  /** All calls share one realm: what a module keeps between calls is kept, as in real life. */
  #calls(
    realm: Realm,
    plan: { readonly entry: string; readonly calls: readonly string[] },
    tests: TestRun[],
  ): Trouble | undefined {
    const [owner = '', method = ''] = plan.entry.split('.');
    const loaded = this.#load(realm, '', method ? [owner] : [owner, 'Solution']);
    if (loaded.kind !== 'passed') return loaded;
    for (const args of plan.calls) {
      this.budget.nextTest();
      const run = this.#turns(realm, 'call', [owner, method, args]);
      tests.push(run);
      const over = run.kind !== 'value' && (this.#job.stopAtTrouble || isFinal(run));
      if (over) break;
    }
    return undefined;
  }

  /** Every input gets a program of its own, in a realm of its own. */
  #programs(inputs: readonly string[], tests: TestRun[]): Trouble | undefined {
    for (const input of inputs) {
      const run = this.#inRealm((realm) => this.#program(realm, input));
      if (run.kind === 'syntax') return run;
      tests.push(run);
      if (run.kind === 'starved' || this.budget.spent) break;
      if (run.kind !== 'printed' && this.#job.stopAtTrouble) break;
    }
    return undefined;
  }

  #program(realm: Realm, input: string): TestRun {
    const loaded = this.#load(realm, input, []);
    const ended = loaded.kind === 'passed' ? this.#turns(realm, 'drain', []) : loaded;
    if (ended.kind === 'exit' && ended.code !== '0') {
      return { kind: 'threw', name: 'Exit', message: `the program ended with code ${ended.code}` };
    }
    if (ended.kind !== 'passed' && ended.kind !== 'exit' && ended.kind !== 'open') return ended;
    try {
      return { kind: 'printed', text: String(realm.enter('stdout', [], SETUP_MS)) };
    } catch (error) {
      return this.#ended(realm, error);
    }
  }

  /** The program and nothing else: what it printed on both streams, and its exit code. */
  #whole(realm: Realm, { stdin, files }: Extract<Plan, { kind: 'run' }>): TestRun {
    for (const file of Object.entries(files)) realm.enter('file', file, SETUP_MS);
    const loaded = this.#load(realm, stdin, []);
    const ended = loaded.kind === 'passed' ? this.#turns(realm, 'drain', []) : loaded;
    if (ended.kind === 'memory' || ended.kind === 'starved') return ended;
    const { end, code, words } = farewell(ended, () => this.#text(realm, 'exitCode'));
    const room = this.#job.limits.outputBytes;
    const stderr = `${this.#text(realm, 'stderr')}${words}`.slice(0, room);
    return { kind: 'ran', end, code, stdout: this.#text(realm, 'stdout'), stderr };
  }

  /** What a realm still has to say, also after its program was ended by a limit. */
  #text(realm: Realm, entry: 'stdout' | 'stderr' | 'exitCode' | 'exited' | 'failed'): string {
    if (realm.lost) return '';
    try {
      return String(realm.enter(entry, [], SETUP_MS));
    } catch {
      this.#clean = false;
      return '';
    }
  }

  /** The tests run in a scope of their own over the names that they mention. */
  #asserts(realm: Realm, source: string, tests: TestRun[]): Trouble | undefined {
    const program = this.#testProgram(source);
    if (program === undefined) return { kind: 'broken-tests', message: 'it is unreadable' };
    const names = namesIn(program);
    const loaded = this.#load(realm, '', names, program);
    if (loaded.kind !== 'passed') return loaded;
    const declared = names.filter((_, i) => loaded.declared[i] === '1');
    const sentinel = randomUUID();
    const { script, isSloppy } = wrapTests(program, declared, sentinel, (text) =>
      realm.check(text, 'tests.js'),
    );
    const run = this.#turns(realm, 'test', [script, isSloppy]);
    const through = run.kind === 'value' && run.wire === JSON.stringify(sentinel);
    // Its callbacks may still have something to say. An exit is no pass: it may keep them from that.
    const ended = through ? this.#turns(realm, 'linger', []) : run;
    const isFailed = ended.kind === 'passed' && this.#text(realm, 'failed') !== 'false';
    tests.push(ended.kind === 'value' || isFailed ? { kind: 'exit' } : ended);
    return undefined;
  }

  #testProgram(source: string): string | undefined {
    if (this.#job.language !== 'typescript' && !/^\s*(import|export)\b/m.test(source))
      return source;
    try {
      return transpile(source, this.#job.language === 'typescript').code;
    } catch {
      return undefined; // reported as the task's own fault
    }
  }

  #load(
    realm: Realm,
    stdin: string,
    names: readonly string[],
    tests?: string,
  ): Trouble | { readonly kind: 'passed'; readonly declared: string } {
    const { program, language, limits } = this.#job;
    const compiled = compile(realm, program, language, names);
    if ('kind' in compiled) return compiled;
    this.#place = compiled.place;
    for (const [name, text] of librariesFor(program, tests ?? '')) {
      realm.enter('library', [name, text], SETUP_MS);
    }
    const errorLimit = this.#job.plan.kind === 'run' ? limits.outputBytes : 0;
    realm.enter('prepare', [stdin, limits.outputBytes, tests !== undefined, errorLimit], SETUP_MS);
    const run = this.#turns(realm, 'load', [compiled.script]);
    return run.kind === 'passed'
      ? { kind: 'passed', declared: run.declared ?? '' }
      : (run as Trouble);
  }

  /** Enters the guest and turns its event loop until there is an answer. */
  #turns(realm: Realm, entry: EntryName, args: readonly (string | boolean)[]): TestRun {
    const again = entry === 'drain' || entry === 'linger' ? entry : 'poll';
    try {
      let reply = realm.enter(entry, args, this.budget.stretchMs()) as GuestReply;
      while (reply[0] === 'pending') {
        reply = realm.enter(again, [], this.budget.stretchMs()) as GuestReply;
      }
      return this.budget.overdrawn ? { kind: 'time' } : this.#read(reply);
    } catch (error) {
      return this.#ended(realm, error);
    }
  }

  /** Something ended the guest from outside, or it left a rejected promise behind. */
  #ended(realm: Realm, error: unknown): Trouble {
    this.#clean = false;
    if (error instanceof OutOfTime) return { kind: 'time' };
    // In an isolate that others have used the memory may be theirs: judged again in a fresh one.
    if (realm.lost) return { kind: this.#worn ? 'starved' : 'memory' };
    if (this.budget.stretchTimedOut) return { kind: this.budget.starved ? 'starved' : 'time' };
    const code = this.#text(realm, 'exited');
    if (code !== '') return { kind: 'exit', code };
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    return {
      kind: 'threw',
      name: 'UnhandledRejection',
      message: message.slice(0, 2000),
      ...this.#place(stack),
    };
  }

  #read(reply: GuestReply): TestRun {
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
        return { kind, name: first, message: second, ...this.#place(third) };
      default:
        return { kind: 'violation', name: 'SandboxError', message: 'the guest driver was changed' };
    }
  }
}

/** Trouble after which the realm cannot be used for another test. */
function isFinal(run: TestRun): boolean {
  return ['time', 'memory', 'starved', 'missing', 'exit'].includes(run.kind);
}

/** The exit code of a program, and what Node would print at its end. */
function farewell(
  ended: TestRun,
  ownCode: () => string,
): { end: WholeRun['end']; code: number; words: string } {
  switch (ended.kind) {
    case 'time':
    case 'output':
      return { end: ended.kind, code: 0, words: '' };
    case 'open': // a top-level promise that nothing can settle
      return { end: 'exited', code: 13, words: '' };
    case 'exit':
      return { end: 'exited', code: exitCode(ended.code), words: '' };
    case 'syntax':
      return { end: 'exited', code: 1, words: lastWords('SyntaxError', ended) };
    case 'threw':
    case 'violation':
      return { end: 'exited', code: 1, words: lastWords(ended.name, ended) };
    default:
      return { end: 'exited', code: exitCode(ownCode()), words: '' };
  }
}

function lastWords(
  name: string,
  { message, line, column }: { message: string; line?: number; column?: number },
): string {
  const place = line === undefined ? '' : `    at answer.js:${line}:${column ?? 1}\n`;
  return `${name}: ${message}\n${place}`;
}

function exitCode(text: string | undefined): number {
  const code = Number(text);
  return Number.isFinite(code) ? code & 255 : 1;
}
