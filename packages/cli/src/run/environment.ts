/** Records where and how a run was started: `environment.json` in its folder, shown in the header of the report. */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { readVersion } from '../version.ts';

/** The file in the folder of a run. */
export const ENVIRONMENT_FILE = 'environment.json';

/** @param engine executor, backend and threads, as the engine describes itself. @param argv as in `process.argv` */
export function recordEnvironment(
  directory: string,
  engine: string,
  argv: readonly string[],
): void {
  const environment = {
    command: ['cipo', ...argv.slice(2)].join(' '),
    cipo: readVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    machine: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    engine,
  };
  writeFileSync(join(directory, ENVIRONMENT_FILE), `${JSON.stringify(environment, null, 2)}\n`);
}
