/** The script that a code cell runs: one attempt after another, in whichever language it is written. */
import { serveCell } from '../cells/serve.ts';
import { runJavaScript, warmUp } from './javascript/run.ts';
import type { CodeJob } from './job.ts';

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
