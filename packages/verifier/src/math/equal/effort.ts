/**
 * How far a comparison may go in this process. Probing is bounded, but its bound is tens of milliseconds: a process that
 * serves others asks for `cheaply` and hands what needs more to a cell.
 */

/** Thrown where a comparison would have to evaluate at places. */
export class NeedsProbing extends Error {
  override readonly name = 'NeedsProbing';
}

let allowed = true;

/** @throws {NeedsProbing} in the cheap mode. Called before every probe. */
export function beforeProbing(): void {
  if (!allowed) throw new NeedsProbing('this comparison needs probing');
}

/** Runs `f` without probing; undefined where that is not enough. Synchronous, so the switch cannot leak. */
export function cheaply<T>(f: () => T): T | undefined {
  const before = allowed;
  allowed = false;
  try {
    return f();
  } catch (error) {
    if (error instanceof NeedsProbing) return undefined;
    throw error;
  } finally {
    allowed = before;
  }
}
