/** Runs the command: arguments in, exit code out, every failure as one clear message. */
import { CommanderError } from 'commander';
import { EXIT, explain, UserError } from './errors.ts';
import { createProgram } from './program.ts';
import { styleOf } from './terminal/style.ts';

/** How long what is left of pools and sockets may keep the process after its work is done. */
const LINGER_MS = 3_000;

/** @returns the exit code. Nothing is thrown. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return complain(error, argv.includes('--debug'));
  }
}

function complain(error: unknown, debug: boolean): number {
  const style = styleOf(process.stderr);
  const { message, exitCode, expected } = explain(error);
  process.stderr.write(`${style.red('error')} ${message}\n`);
  if (debug && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n${causes(error)}`);
  else if (!expected) process.stderr.write(`${style.dim('(--debug shows where this happened)')}\n`);
  return exitCode;
}

function causes(error: Error): string {
  return error.cause instanceof Error ? `caused by ${error.cause.stack}\n` : '';
}

/** The entry of the process. */
export async function start(): Promise<void> {
  // A reader that went away (`| head`) is no reason to lose a run.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw new UserError(`Cannot write: ${error.message}`);
  });
  const code = await main(process.argv.slice(2));
  process.exitCode = code;
  setTimeout(() => process.exit(code), LINGER_MS).unref();
}

if (import.meta.main) await start();
