/** Options that several commands share, worded once. */
import type { Command } from 'commander';
import { ENGINES } from '../config/flags.ts';

/** Collects a repeatable option. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** `--seed`, `--engine` and `--set`: what every command with a configuration takes. */
export function withSettings(command: Command): Command {
  return command
    .option('--seed <n>', 'everything random follows from it (default 1)')
    .option('--engine <name>', `what computes the model: ${ENGINES.join(', ')} (default onnx)`)
    .option('--set <key.path=value>', 'any other key of the configuration; repeatable', collect);
}

/** `--domain`: what every command that judges rows takes. */
export function withDomains(command: Command): Command {
  return command.option(
    '--domain <name>',
    'a plug-in domain, by file or package; or math or code: the domain of rows that name none; repeatable',
    collect,
  );
}
