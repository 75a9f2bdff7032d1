/**
 * Measures every executor and backend in a child process. GPU libraries write warnings to the file descriptor of
 * standard error, where they would land between the lines of the report, and a broken driver can crash the process.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { ExecutorFinding } from '@cipo/engine';
import { sibling } from '@cipo/verifier/cells';

/** @param entry the module of the child; it sends one array of reports. @throws {Error} with the last lines of the child if it sends none */
export async function measureExecutors(
  entry: string = sibling(import.meta.url, './executors-process'),
): Promise<readonly ExecutorFinding[]> {
  const child = fork(fileURLToPath(entry), [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const said = child.stderr ? text(child.stderr) : '';
  const [reports] = await Promise.race([firstMessage(child), once(child, 'close')]);
  if (Array.isArray(reports)) return reports;
  const lines = (await said).trim().split('\n').slice(-3).join('; ');
  throw new Error(`the process that measures executors ended without a result: ${lines}`);
}

function firstMessage(child: ChildProcess): Promise<unknown[]> {
  return once(child, 'message');
}
