/** The script of a JavaScript cell: runs one attempt after another. */
import { serveCell } from '../../cells/serve.ts';
import type { CodeJob } from '../job.ts';
import { runJavaScript, warmUp } from './run.ts';
import { loadTranspiler } from './transpile.ts';

let lastMemoryMb = 64;
warmUp(lastMemoryMb);

serveCell((payload) => runJavaScript(payload as CodeJob), {
  prepare: (payload) => {
    const { language, limits } = payload as CodeJob;
    lastMemoryMb = limits.memoryMb;
    if (language === 'typescript') loadTranspiler();
  },
  between: () => warmUp(lastMemoryMb),
});
