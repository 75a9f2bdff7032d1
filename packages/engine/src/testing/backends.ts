/**
 * The backends of this machine, for tests that run on each of them. A missing one is skipped with its name and reason,
 * so that a run says what it did not check.
 */

import { errorMessage } from '@cipo/support';
import { describe, test } from 'vitest';
import { BACKENDS_OF, openExecutor } from '../executors/open.ts';
import type { ExecutorName } from '../executors/types.ts';

/** Options of createLocalEngine. */
export interface Place {
  readonly executor: ExecutorName;
  readonly backend: string;
}

const missing: { readonly place: Place; readonly reason: string }[] = [];
/** In a fixed order, onnx cpu first. */
export const available: Place[] = [];
for (const executor of ['onnx', 'tfjs'] as const)
  for (const backend of BACKENDS_OF[executor]) {
    const place = { executor, backend };
    try {
      await (await openExecutor({ ...place, threads: 1 })).close();
      available.push(place);
    } catch (error) {
      missing.push({ place, reason: errorMessage(error) });
    }
  }

/** Runs `tests` for each backend, and skips missing ones by name. */
export function onEachBackend(what: string, tests: (place: Place) => void): void {
  for (const place of available)
    describe(`${place.executor} ${place.backend}: ${what}`, () => tests(place));
  for (const { place, reason } of missing)
    test.skip(`${place.executor} ${place.backend}: ${what}, not here: ${reason}`, () => {});
}

/** Without the slowest: tfjs in plain JavaScript. */
export const quick = available.filter(
  ({ executor, backend }) => executor !== 'tfjs' || backend !== 'cpu',
);
