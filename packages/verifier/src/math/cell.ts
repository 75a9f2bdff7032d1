/** Runs in a math cell: verifies one response at a time, with every kind of comparison allowed. */
import { serveCell } from '../cells/serve.ts';
import { type MathReference, verdictOf } from './verdict.ts';

/** The payload of one job. The pool is the only sender, so a cell does not check it. */
export interface MathJob {
  readonly reference: MathReference;
  readonly text: string;
}

serveCell((payload) => {
  const job = payload as MathJob;
  return verdictOf(job.reference, job);
});
