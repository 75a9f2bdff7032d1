/**
 * A cell from its owner's side: a child process that runs one job at a time, is watched from outside
 * and replaced whenever it misbehaves. Queueing and threads are in `pool.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cellCommand } from './command.ts';
import { residentMb } from './procfs.ts';
import { type FromCell, readFromCell } from './protocol.ts';
import type { CellJob, CellOutcome, CellSpec, Usage } from './types.ts';
import { Watch } from './watch.ts';

/** Told about every child that starts and ends, so that an owner can end them all. */
export interface CellEvents {
  started?(pid: number): void;
  ended?(pid: number): void;
}

/** One living child with what it has said so far. */
interface Body {
  readonly child: ChildProcess;
  readonly pid: number;
  stderr: string;
  lastWords: string;
  jobs: number;
  onMessage: (message: FromCell) => void;
  onExit: (detail: string) => void;
}

/** How often a child is started for one job. */
const STARTS = 4;
/** Between two looks at what a child holds once its job is done; while a job runs, `watch.ts` looks. */
const JOBS_A_WEIGHING = 16;

/** A child that did not come up. `killed`: neither by itself nor by us for being late. */
class StartFailure extends Error {
  readonly killed: boolean;
  constructor(detail: string, killed: boolean) {
    super(`the cell did not start: ${detail}`);
    this.killed = killed;
  }
}

export class Cell {
  readonly #spec: CellSpec;
  readonly #startMs: number;
  readonly #events: CellEvents;
  #body: Promise<Body> | undefined;
  #current: Body | undefined;
  #nextId = 1;
  #closed = false;

  constructor(spec: CellSpec, events: CellEvents = {}) {
    this.#spec = spec;
    this.#startMs = spec.startMs ?? 30_000;
    this.#events = events;
  }

  /** Starts the child if there is none. @throws {Error} when it does not come up. */
  async start(): Promise<void> {
    await this.#ready();
  }

  /**
   * Runs one job. Never rejects: trouble is an outcome.
   * @param cancelled looked at every few milliseconds; `true` kills the child and answers `aborted`
   */
  async run(
    job: CellJob,
    cancelled: () => boolean = () => false,
    fresh = false,
  ): Promise<CellOutcome> {
    if (fresh && this.#current && this.#current.jobs > 0) this.#replace();
    let body: Body;
    try {
      body = await this.#come(cancelled);
    } catch (error) {
      return {
        kind: 'unavailable',
        detail: error instanceof Error ? error.message : String(error),
      };
    }
    if (cancelled()) return { kind: 'aborted' };
    const outcome = await this.#supervise(body, job, cancelled);
    this.#afterwards(body, outcome);
    return outcome;
  }

  /** A child that somebody else kills while it starts says nothing about the job, which waits for another. */
  async #come(cancelled: () => boolean): Promise<Body> {
    for (let left = STARTS; ; left -= 1) {
      try {
        return await this.#ready();
      } catch (error) {
        const again = error instanceof StartFailure && error.killed && !cancelled();
        if (!again || left === 1) throw error;
      }
    }
  }

  /** Kills the child and waits until it is gone. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const body = this.#current;
    if (!body || body.child.exitCode !== null || body.child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      body.child.once('exit', () => resolve());
      body.child.kill('SIGKILL');
    });
  }

  #ready(): Promise<Body> {
    if (this.#closed) return Promise.reject(new Error('the cell is closed'));
    this.#body ??= this.#spawn();
    return this.#body;
  }

  #spawn(): Promise<Body> {
    const { file, args } = cellCommand(this.#spec);
    const child = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { TZ: 'UTC', NODE_OPTIONS: '' },
      cwd: '/',
    });
    const ready = new Promise<Body>((resolve, reject) => {
      child.once('error', (error) => reject(new StartFailure(error.message, false)));
      if (child.pid === undefined) return;
      const body = this.#attach(child, child.pid);
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill('SIGKILL');
      }, this.#startMs);
      body.onExit = (detail) => {
        clearTimeout(timer);
        reject(new StartFailure(detail, child.signalCode === 'SIGKILL' && !late));
      };
      body.onMessage = (message) => {
        if (message.type !== 'ready') return;
        clearTimeout(timer);
        resolve(body);
      };
    });
    ready.catch(() => {
      this.#body = undefined; // the next job tries again
    });
    return ready;
  }

  #attach(child: ChildProcess, pid: number): Body {
    const nothing = () => undefined;
    const body: Body = {
      child,
      pid,
      stderr: '',
      lastWords: '',
      jobs: 0,
      onMessage: nothing,
      onExit: nothing,
    };
    this.#current = body;
    this.#events.started?.(pid);
    child.stderr?.on('data', (chunk: Buffer) => {
      if (body.stderr.length < 4000) body.stderr += chunk.toString('latin1');
    });
    child.on('message', (raw) => {
      const message = readFromCell(raw);
      if (message?.type === 'dying') body.lastWords ||= message.detail;
      else if (message) body.onMessage(message);
    });
    child.once('exit', (code, signal) => this.#buried(body, code, signal));
    return body;
  }

  #buried(body: Body, code: number | null, signal: string | null): void {
    this.#events.ended?.(body.pid);
    if (this.#current === body) {
      this.#current = undefined;
      this.#body = undefined;
    }
    const said = body.lastWords || body.stderr.trim().slice(0, 500);
    body.onExit(`${signal ?? `exit code ${code}`}${said ? `: ${said}` : ''}`);
  }

  #supervise(body: Body, job: CellJob, cancelled: () => boolean): Promise<CellOutcome> {
    const id = this.#nextId++;
    const watch = new Watch(body.pid, job.limits, this.#startMs, cancelled);
    return new Promise((resolve) => {
      const finish = (outcome: CellOutcome) => {
        watch.stop();
        body.onMessage = () => undefined;
        body.onExit = () => undefined;
        resolve(outcome);
      };
      body.onExit = (detail) => finish(watch.verdict() ?? died(detail, watch.usage()));
      body.onMessage = (message) => {
        if (!('id' in message) || message.id !== id) return;
        if (message.type === 'begun') watch.begin();
        else if (message.type === 'failed') {
          finish({ kind: 'unavailable', detail: message.detail });
        } else finish({ kind: 'done', value: message.value, usage: watch.usage(message) });
      };
      watch.start(() => body.child.kill('SIGKILL'));
      body.jobs++;
      body.child.send({ id, payload: job.payload }, (error) => {
        if (error) body.child.kill('SIGKILL'); // its exit event answers
      });
    });
  }

  #afterwards(body: Body, outcome: CellOutcome): void {
    const { maxJobs = 10_000, recycleRssMb = 320 } = this.#spec;
    const weighed = body.jobs % JOBS_A_WEIGHING === 0; // a look into /proc costs as much as a message
    const heavy = weighed && (residentMb(body.pid) ?? 0) > recycleRssMb;
    const spent = body.jobs >= maxJobs || heavy;
    if (outcome.kind === 'done' && spent) this.#replace();
    // A replacement starts now, so that the next job need not wait for all of it.
    if (!this.#closed) this.#ready().catch(() => undefined);
  }

  #replace(): void {
    const old = this.#current;
    this.#body = undefined;
    this.#current = undefined;
    old?.child.kill('SIGKILL');
  }
}

function died(detail: string, usage: Usage): CellOutcome {
  return { kind: 'died', detail, usage };
}
