/** A table of the child processes of a pool in shared memory. Leaves out: starting them. */

/** Index of the first process id in the table. Index 0 is the closing flag, index 1 counts every child ever started. */
const FIRST_ID = 2;

/**
 * The threads of a pool write the process ids of their children into this table, so that the main thread can kill them
 * all, even while its process exits.
 */
export class PidTable {
  readonly shared: SharedArrayBuffer;
  readonly #slots: Int32Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(4 * 256)) {
    this.shared = shared;
    this.#slots = new Int32Array(shared);
  }

  /** Whether the owner of the pool is closing it. */
  get closing(): boolean {
    return Atomics.load(this.#slots, 0) === 1;
  }

  close(): void {
    Atomics.store(this.#slots, 0, 1);
  }

  /** Children ever started. */
  get started(): number {
    return Atomics.load(this.#slots, 1);
  }

  add(pid: number): void {
    Atomics.add(this.#slots, 1, 1);
    for (let slot = FIRST_ID; slot < this.#slots.length; slot++) {
      if (Atomics.compareExchange(this.#slots, slot, 0, pid) === 0) return;
    }
  }

  remove(pid: number): void {
    for (let slot = FIRST_ID; slot < this.#slots.length; slot++) {
      Atomics.compareExchange(this.#slots, slot, pid, 0);
    }
  }

  /** Process ids of the living children. */
  pids(): number[] {
    return [...this.#slots.subarray(FIRST_ID)].filter((pid) => pid !== 0);
  }

  /** Kills every child in the table. Synchronous, so that it also works in an exit handler. */
  killAll(): void {
    for (const pid of this.pids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
}
