/**
 * A cell from the side of its owner: a child process that runs one job at a time, is watched from outside, and is
 * replaced after every failure. Leaves out: queueing and threads, see `pool.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { errorMessage } from '@cipo/support';
import { cellCommand } from './command.ts';
import { residentMb } from './procfs.ts';
import { type FromCell, readFromCell } from './protocol.ts';
import type { CellJob, CellOutcome, CellSpec } from './types.ts';
import { Watch } from './watch.ts';

/** Callbacks for every child that starts and ends, so that an owner can kill them all. */
interface CellEvents {
  onStart?(pid: number): void;
  onEnd?(pid: number): void;
}

/** One living child process, with what it has reported so far. */
interface ChildCell {
  readonly process: ChildProcess;
  readonly pid: number;
  stderr: string;
  /** What the child reported as the reason of its death. */
  deathReport: string;
  jobs: number;
  onMessage: (message: FromCell) => void;
  onExit: (detail: string) => void;
}

/** How often a child is started for one job. */
const MAX_STARTS = 4;
/** The memory of a child is read after every 16th job only: a read of /proc costs as much as a message. */
const JOBS_PER_MEMORY_CHECK = 16;

/** A child that did not start. */
class StartFailure extends Error {
  /** Whether somebody else killed it: it neither ended itself nor was it killed here for being late. */
  readonly killedByOthers: boolean;
  constructor(detail: string, killedByOthers: boolean) {
    super(`the cell did not start: ${detail}`);
    this.killedByOthers = killedByOthers;
  }
}

/** Owns one child process and runs one job after another in it. */
export class Cell {
  readonly #spec: CellSpec;
  readonly #startMs: number;
  readonly #events: CellEvents;
  /** The current child once it is ready, or while it starts. */
  #ready: Promise<ChildCell> | undefined;
  #current: ChildCell | undefined;
  #nextId = 1;
  #closed = false;

  constructor(spec: CellSpec, events: CellEvents = {}) {
    this.#spec = spec;
    this.#startMs = spec.startMs ?? 30_000;
    this.#events = events;
  }

  /** Starts the child if there is none. @throws {Error} if it does not start. */
  async start(): Promise<void> {
    await this.#getChild();
  }

  /**
   * Runs one job. Never rejects: a failure is an outcome.
   * @param isCancelled is called every few milliseconds; `true` kills the child, and the outcome is `aborted`
   * @param fresh run in a child that has run no other job
   */
  async run(
    job: CellJob,
    isCancelled: () => boolean = () => false,
    fresh = false,
  ): Promise<CellOutcome> {
    if (fresh && this.#current && this.#current.jobs > 0) this.#discard();
    let child: ChildCell;
    try {
      child = await this.#startWithRetries(isCancelled);
    } catch (error) {
      return { kind: 'unavailable', detail: errorMessage(error) };
    }
    if (isCancelled()) return { kind: 'aborted' };
    const outcome = await this.#supervise(child, job, isCancelled);
    this.#recycle(child, outcome);
    return outcome;
  }

  /** Starts again if somebody else kills the child while it starts: that says nothing about the job. */
  async #startWithRetries(isCancelled: () => boolean): Promise<ChildCell> {
    for (let startsLeft = MAX_STARTS; ; startsLeft -= 1) {
      try {
        return await this.#getChild();
      } catch (error) {
        const isRetried = error instanceof StartFailure && error.killedByOthers && !isCancelled();
        if (!isRetried || startsLeft === 1) throw error;
      }
    }
  }

  /** Kills the child and waits for its exit. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const process = this.#current?.process;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      process.once('exit', () => resolve());
      process.kill('SIGKILL');
    });
  }

  #getChild(): Promise<ChildCell> {
    if (this.#closed) return Promise.reject(new Error('the cell is closed'));
    this.#ready ??= this.#spawn();
    return this.#ready;
  }

  #spawn(): Promise<ChildCell> {
    const { file, args } = cellCommand(this.#spec);
    const process = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { TZ: 'UTC', NODE_OPTIONS: '' },
      cwd: '/',
    });
    const ready = new Promise<ChildCell>((resolve, reject) => {
      process.once('error', (error) => reject(new StartFailure(error.message, false)));
      if (process.pid === undefined) return;
      const child = this.#attach(process, process.pid);
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        process.kill('SIGKILL');
      }, this.#startMs);
      child.onExit = (detail) => {
        clearTimeout(timer);
        reject(new StartFailure(detail, process.signalCode === 'SIGKILL' && !isLate));
      };
      child.onMessage = (message) => {
        if (message.type !== 'ready') return;
        clearTimeout(timer);
        resolve(child);
      };
    });
    ready.catch(() => {
      this.#ready = undefined; // the next job tries again
    });
    return ready;
  }

  #attach(process: ChildProcess, pid: number): ChildCell {
    const ignore = () => undefined;
    const child: ChildCell = {
      process,
      pid,
      stderr: '',
      deathReport: '',
      jobs: 0,
      onMessage: ignore,
      onExit: ignore,
    };
    this.#current = child;
    this.#events.onStart?.(pid);
    process.stderr?.on('data', (chunk: Buffer) => {
      if (child.stderr.length < 4000) child.stderr += chunk.toString('latin1');
    });
    process.on('message', (raw) => {
      const message = readFromCell(raw);
      if (message?.type === 'dying') child.deathReport ||= message.detail;
      else if (message) child.onMessage(message);
    });
    process.once('exit', (code, signal) => this.#onExit(child, code, signal));
    return child;
  }

  #onExit(child: ChildCell, code: number | null, signal: string | null): void {
    this.#events.onEnd?.(child.pid);
    if (this.#current === child) {
      this.#current = undefined;
      this.#ready = undefined;
    }
    const report = child.deathReport || child.stderr.trim().slice(0, 500);
    child.onExit(`${signal ?? `exit code ${code}`}${report ? `: ${report}` : ''}`);
  }

  #supervise(child: ChildCell, job: CellJob, isCancelled: () => boolean): Promise<CellOutcome> {
    const id = this.#nextId++;
    const watch = new Watch(child.pid, job.limits, this.#startMs, isCancelled);
    return new Promise((resolve) => {
      const finish = (outcome: CellOutcome) => {
        watch.stop();
        child.onMessage = () => undefined;
        child.onExit = () => undefined;
        resolve(outcome);
      };
      child.onExit = (detail) =>
        finish(watch.killOutcome() ?? { kind: 'died', detail, usage: watch.usage() });
      child.onMessage = (message) => {
        if (!('id' in message) || message.id !== id) return;
        if (message.type === 'begun') watch.begin();
        else if (message.type === 'failed') {
          finish({ kind: 'unavailable', detail: message.detail });
        } else finish({ kind: 'done', value: message.value, usage: watch.usage(message) });
      };
      watch.start(() => child.process.kill('SIGKILL'));
      child.jobs++;
      child.process.send({ id, payload: job.payload }, (error) => {
        if (error) child.process.kill('SIGKILL'); // its exit event finishes the job
      });
    });
  }

  /** Replaces a child that has run many jobs or holds much memory, and starts the next one ahead of its job. */
  #recycle(child: ChildCell, outcome: CellOutcome): void {
    const { maxJobs = 10_000, recycleRssMb = 320 } = this.#spec;
    const isChecked = child.jobs % JOBS_PER_MEMORY_CHECK === 0;
    const isHeavy = isChecked && (residentMb(child.pid) ?? 0) > recycleRssMb;
    if (outcome.kind === 'done' && (child.jobs >= maxJobs || isHeavy)) this.#discard();
    if (!this.#closed) this.#getChild().catch(() => undefined);
  }

  #discard(): void {
    const child = this.#current;
    this.#ready = undefined;
    this.#current = undefined;
    child?.process.kill('SIGKILL');
  }
}
