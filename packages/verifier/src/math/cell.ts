/** What runs in a math cell: one comparison at a time, with everything allowed. */

import { serveCell } from '../cells/serve.ts';
import { type MathReference, verdictOf } from './verdict.ts';

export interface MathJob {
  readonly reference: MathReference;
  readonly text: string;
}

serveCell((payload) => {
  const job = payload as MathJob;
  return verdictOf(job.reference, job);
});
