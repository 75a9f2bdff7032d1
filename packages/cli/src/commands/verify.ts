/** `cipo verify`: judges rows of files or of standard input. Leaves out: the judging (verify/run.ts). */
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parse } from 'yaml';
import { chooseDomains } from '../config/domains.ts';
import { merge, nest, type Settings } from '../config/layers.ts';
import { EXIT, UserError } from '../errors.ts';
import type { Only, VerifyOptions } from '../verify/run.ts';
import { collect, wholeNumber, withDomains } from './options.ts';

interface VerifyFlags {
  readonly out?: string;
  readonly domain?: readonly string[];
  readonly workers?: number;
  readonly only?: Only;
  readonly pretty?: boolean;
  readonly quiet?: boolean;
  readonly set?: readonly Settings[];
  readonly column?: readonly (readonly [string, string])[];
  readonly keep?: readonly string[];
  readonly skip?: number;
  readonly rows?: number;
}

const EXAMPLES = `
Rows: {"answer": "1/2", "response": "... \\\\boxed{0.5}"} for math; {"language", "tests", "response"} for code.
The columns of verl, TRL, prime-rl, HumanEval, MBPP and APPS are recognized too: docs/reference/rows.md lists them.

Examples:
  $ cipo verify outputs.jsonl > verdicts.jsonl
  $ cipo verify outputs.jsonl.gz more.parquet --out verdicts.jsonl
  $ cipo verify outputs.jsonl --only failed --pretty | less -R
  $ cipo verify gsm8k.jsonl --set options.extraction=any       answers in prose instead of a box
  $ cipo verify games.jsonl --domain ./countdown.ts            a plug-in domain
  $ generate | cipo verify - | jq .reward                      verdicts while rows arrive

Exit codes: 0 every row was judged, 1 failed, 2 wrong usage, 3 some rows cannot be parsed, 4 some rows could not be
judged for another reason, 5 both, 130 stopped by Ctrl-C, 141 the reader of the output closed the pipe.`;

export function verifyCommand(): Command {
  const command = new Command('verify')
    .summary('judge responses in files, row by row')
    .description(
      'Judges the responses in JSON Lines (plain, .gz, .zst) or parquet files. Writes one line of JSON per row, in order: id, status, passed, reward (1, 0 or null), diagnostics, cpuMs, wallMs. Memory does not grow with the input.',
    )
    .argument('[files...]', 'files of rows, or - for standard input (the default in a pipe)');
  return withDomains(command)
    .option('--out <file>', 'write to this file instead of standard output; .gz compresses it')
    .option('--workers <n>', 'sandboxes of each kind (default: one per core)', wholeNumber(1))
    .addOption(
      new Option('--only <which>', 'write only these rows').choices([
        'failed',
        'passed',
        'unjudged',
      ]),
    )
    .option('--pretty', 'human-readable: one line per row with the reason')
    .option('--quiet', 'print no progress and no summary')
    .option(
      '--set <key.path=value>',
      'a field for rows that lack it, for example options.extraction=any or limits.cpuMs=9000; repeatable',
      collectFields,
    )
    .option(
      '--column <name=theirs>',
      'read a field from another column, for example response=generated.text; repeatable',
      collectColumns,
    )
    .option(
      '--keep <column>',
      'copy this column of the row to the verdict; repeatable',
      collectKept,
    )
    .option(
      '--skip <n>',
      'skip the first n rows and append to --out (resume an interrupted run)',
      wholeNumber(0),
    )
    .option('--rows <n>', 'judge at most n rows', wholeNumber(0))
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], flags: VerifyFlags) => {
      const options = optionsOf(files, flags);
      const { verify } = await import('../verify/run.ts');
      process.exitCode = await verify(options);
    });
}

function optionsOf(files: readonly string[], flags: VerifyFlags): VerifyOptions {
  const inputs = files.length > 0 ? files : pipedInput();
  if (flags.out !== undefined && inputs.includes(flags.out)) {
    throw new UserError(`--out: ${flags.out} is also an input.`, EXIT.usage);
  }
  return {
    files: inputs,
    out: flags.out,
    ...chooseDomains(flags.domain),
    workers: flags.workers ?? availableParallelism(),
    only: flags.only,
    pretty: flags.pretty === true,
    quiet: flags.quiet === true,
    defaults: merge(flags.set ?? []),
    columns: flags.column ?? [],
    keep: flags.keep ?? [],
    skip: flags.skip ?? 0,
    take: flags.rows ?? Number.POSITIVE_INFINITY,
  };
}

function pipedInput(): string[] {
  if (!process.stdin.isTTY) return ['-'];
  throw new UserError(
    'Name a file of rows, or pipe rows in: cipo verify outputs.jsonl (cipo verify --help shows more).',
    EXIT.usage,
  );
}

const VERDICT_FIELDS = ['id', 'status', 'passed', 'reward', 'diagnostics', 'cpuMs', 'wallMs'];

function collectKept(column: string, before: readonly string[] = []): string[] {
  if (!VERDICT_FIELDS.includes(column)) return collect(column, before);
  throw new InvalidArgumentError(`${column} is a field of the verdict itself.`);
}

function collectColumns(
  text: string,
  before: readonly (readonly [string, string])[] = [],
): (readonly [string, string])[] {
  return [...before, parsePair(text, 'response=generated')];
}

/** `options.extraction=any` as a part of a row. The value is read as YAML: number, boolean or list, else text. */
function collectFields(text: string, before: readonly Settings[] = []): Settings[] {
  const [path, value] = parsePair(text, 'options.extraction=any');
  return [...before, nest(path.split('.'), parseScalar(value))];
}

function parsePair(text: string, example: string): readonly [string, string] {
  const at = text.indexOf('=');
  const [name, value] = [text.slice(0, Math.max(0, at)).trim(), text.slice(at + 1).trim()];
  if (name !== '' && value !== '') return [name, value];
  throw new InvalidArgumentError(`Expected name=value, for example ${example}.`);
}

function parseScalar(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text; // not YAML: plain text
  }
}
