/** The script that a JavaScript cell runs: one attempt after another. */
import { serveCell } from '../../cells/serve.ts';
import type { CodeJob } from '../job.ts';
import { runJavaScript, warmUp } from './run.ts';

let lastMemoryMb = 64;
warmUp(lastMemoryMb);

serveCell(
  (payload) => {
    const job = payload as CodeJob;
    lastMemoryMb = job.limits.memoryMb;
    return runJavaScript(job);
  },
  () => warmUp(lastMemoryMb),
);
