/** Runs the command: arguments in, exit code out, every failure as one message. */
import { CommanderError } from 'commander';
import { EXIT, explainError, UserError } from './errors.ts';
import { createProgram } from './program.ts';
import { clipText } from './terminal/guest.ts';
import { styleOf } from './terminal/style.ts';

/** How long open pools and sockets may keep the process alive after the command has ended. */
const LINGER_MS = 3_000;

/** @param argv the arguments after the name of the command. @returns the exit code. Nothing is thrown. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportError(error, argv.includes('--debug'));
  }
}

function reportError(error: unknown, debug: boolean): number {
  const style = styleOf(process.stderr);
  const { message, exitCode, expected } = explainError(error);
  process.stderr.write(`${style.red('error:')} ${clipText(message)}\n`);
  if (debug && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n${causeTrace(error)}`);
  } else if (!expected) {
    process.stderr.write(`${style.dim('(--debug shows where this happened)')}\n`);
  }
  return exitCode;
}

function causeTrace(error: Error): string {
  return error.cause instanceof Error ? `caused by ${error.cause.stack}\n` : '';
}

/** The entry point of the process. */
export async function start(): Promise<void> {
  // A reader that closes the pipe (`| head`) must not end a training run.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw new UserError(`Cannot write: ${error.message}`);
  });
  const code = await main(process.argv.slice(2));
  process.exitCode = code;
  setTimeout(() => process.exit(code), LINGER_MS).unref();
}

if (import.meta.main) await start();
