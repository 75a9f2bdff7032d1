/** The script of a Python cell. Arguments: the path of the snapshot, the memory limit in MB. */
import { readFileSync } from 'node:fs';
import { serveCell } from '../../cells/serve.ts';
import type { CodeJob } from '../job.ts';
import { PythonRunner } from './run.ts';

const [path = '', memoryMb = '256'] = process.argv.slice(2);
const runner = new PythonRunner(readFileSync(path));
await runner.ready(Number(memoryMb));

serveCell((payload) => runner.run(payload as CodeJob), {
  prepare: (payload) => runner.ready((payload as CodeJob).limits.memoryMb),
  between: () => runner.ready(),
});
