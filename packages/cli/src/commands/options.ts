/** Options that several commands share, and parsers for the values of options. */
import { type Command, InvalidArgumentError } from 'commander';
import { ENGINES } from '../config/flags.ts';

/** Appends a value to those of a repeatable option. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** A parser of whole numbers from `least` to `most`. It throws InvalidArgumentError, which commander prints. */
export function wholeNumber(
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${most}`;
    throw new InvalidArgumentError(`Expected a whole number of at least ${least}${upTo}.`);
  };
}

/** A parser of numbers for which `isAllowed` holds; `expected` describes them in the error. */
export function numberWhere(
  isAllowed: (value: number) => boolean,
  expected: string,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && isAllowed(value)) return value;
    throw new InvalidArgumentError(`Expected ${expected}.`);
  };
}

/** Adds `--seed`, `--engine` and `--set`. */
export function withSettings(command: Command): Command {
  return withSharedSettings(
    command.option('--seed <n>', 'seed of every random choice (default 1)'),
  );
}

/** Adds `--engine` and `--set`, which every command with a configuration has. */
export function withSharedSettings(command: Command): Command {
  return command
    .option('--engine <name>', `what computes the model: ${ENGINES.join(', ')} (default onnx)`)
    .option('--set <key.path=value>', 'set any other configuration key; repeatable', collect);
}

/** Adds `--domain`, which every command that judges rows has. */
export function withDomains(command: Command): Command {
  return command.option(
    '--domain <name>',
    'plug-in domain (file or package); or math or code, for rows that name no domain; repeatable',
    collect,
  );
}
