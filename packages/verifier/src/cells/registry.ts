/** The children of a pool. Leaves out: starting them. */
const FIRST_ID = 2;

/**
 * A table of child processes in shared memory: threads write the ids of their children into it, so
 * that the main thread can end them all even when it goes down in a hurry.
 */
export class PidTable {
  readonly shared: SharedArrayBuffer;
  /** Slot 0 says that the owner is closing, slot 1 counts every child there ever was, ids stand in the rest. */
  readonly #cells: Int32Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(4 * 256)) {
    this.shared = shared;
    this.#cells = new Int32Array(shared);
  }

  get closing(): boolean {
    return Atomics.load(this.#cells, 0) === 1;
  }

  close(): void {
    Atomics.store(this.#cells, 0, 1);
  }

  /** Children ever started. */
  get started(): number {
    return Atomics.load(this.#cells, 1);
  }

  add(pid: number): void {
    Atomics.add(this.#cells, 1, 1);
    for (let slot = FIRST_ID; slot < this.#cells.length; slot++) {
      if (Atomics.compareExchange(this.#cells, slot, 0, pid) === 0) return;
    }
  }

  remove(pid: number): void {
    for (let slot = FIRST_ID; slot < this.#cells.length; slot++) {
      Atomics.compareExchange(this.#cells, slot, pid, 0);
    }
  }

  pids(): number[] {
    return [...this.#cells.subarray(FIRST_ID)].filter((pid) => pid !== 0);
  }

  /** Kills whatever is in the table. Synchronous, so that it also works while the process exits. */
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
