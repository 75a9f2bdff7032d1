/** `cipo verify`: verdicts on rows of files or of standard input. Leaves out: the judging (verify/run.ts). */
import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { parse } from 'yaml';
import { chosenDomains } from '../config/domains.ts';
import { merge, nest } from '../config/layers.ts';
import { EXIT, UserError } from '../errors.ts';
import type { Only, VerifyOptions } from '../verify/run.ts';
import { collect, withDomains } from './options.ts';

interface VerifyFlags {
  readonly out?: string;
  readonly domain?: readonly string[];
  readonly workers?: string;
  readonly only?: Only;
  readonly pretty?: boolean;
  readonly quiet?: boolean;
  readonly set?: readonly string[];
  readonly column?: readonly string[];
  readonly keep?: readonly string[];
  readonly skip?: string;
  readonly rows?: string;
}

const EXAMPLES = `
Rows: {"answer": "1/2", "response": "... \\\\boxed{0.5}"} for math; {"language", "tests", "response"} for code; the
columns of verl, TRL, prime-rl, HumanEval, MBPP and APPS are understood. docs/guide/verify.md has all of them.

Examples:
  $ cipo verify outputs.jsonl > verdicts.jsonl
  $ cipo verify outputs.jsonl.gz more.parquet --out verdicts.jsonl
  $ cipo verify outputs.jsonl --only failed --pretty | less -R
  $ cipo verify gsm8k.jsonl --set options.extraction=any       answers in prose, not in a box
  $ cipo verify games.jsonl --domain ./countdown.ts            a domain of your own
  $ generate | cipo verify - | jq .reward                      as they come

Exit codes: 0 every row got a judgement, 1 failed, 2 wrong usage, 3 some rows could not be read, 4 some rows got no
judgement for another reason, 5 both, 130 stopped by Ctrl-C, 141 the reader of the output went away.`;

export function verifyCommand(): Command {
  const command = new Command('verify')
    .summary('judge answers in files, row by row')
    .description(
      'Judges the answers in JSON Lines (plain, .gz, .zst) or parquet files and writes a line of JSON for each: id, status, passed, reward (1, 0 or null), diagnostics, cpuMs, wallMs. In the order of the rows, in constant memory.',
    )
    .argument(
      '[files...]',
      'files of rows, or - for standard input (the default where something is piped in)',
    );
  return withDomains(command)
    .option('--out <file>', 'write there instead of standard output; .gz packs it')
    .option('--workers <n>', 'sandbox processes of each kind (default: one a core)')
    .addOption(
      new Option('--only <which>', 'write only these rows').choices([
        'failed',
        'passed',
        'unjudged',
      ]),
    )
    .option('--pretty', 'for people: a line a row and why it failed, instead of JSON')
    .option('--quiet', 'neither progress nor summary')
    .option(
      '--set <key.path=value>',
      'a field for rows that lack it, as in options.extraction=any or limits.cpuMs=9000; repeatable',
      collect,
    )
    .option(
      '--column <name=theirs>',
      'a column under another name, as in response=generated.text; repeatable',
      collect,
    )
    .option('--keep <column>', 'copy this column of a row to its verdict; repeatable', collect)
    .option(
      '--skip <n>',
      'pass over the first n rows and append to --out: how to go on after a stop',
    )
    .option('--rows <n>', 'judge at most n rows')
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], flags: VerifyFlags) => {
      const options = optionsOf(files, flags);
      const { verify } = await import('../verify/run.ts');
      process.exitCode = await verify(options);
    });
}

function optionsOf(files: readonly string[], flags: VerifyFlags): VerifyOptions {
  const inputs = files.length > 0 ? files : piped();
  if (flags.out !== undefined && inputs.includes(flags.out)) {
    throw new UserError(`--out: ${flags.out} is also an input.`, EXIT.usage);
  }
  return {
    files: inputs,
    out: flags.out,
    ...chosenDomains(flags.domain),
    workers: whole('--workers', flags.workers, 1) ?? availableParallelism(),
    only: flags.only,
    pretty: flags.pretty === true,
    quiet: flags.quiet === true,
    defaults: merge((flags.set ?? []).map(defaultField)),
    columns: (flags.column ?? []).map((written) => pair('--column', written, 'response=generated')),
    keep: (flags.keep ?? []).map(keepable),
    skip: whole('--skip', flags.skip, 0) ?? 0,
    take: whole('--rows', flags.rows, 0) ?? Number.POSITIVE_INFINITY,
  };
}

function piped(): string[] {
  if (!process.stdin.isTTY) return ['-'];
  const what = 'Name a file of rows, or pipe rows in: cipo verify outputs.jsonl';
  throw new UserError(`${what} (cipo verify --help shows more).`, EXIT.usage);
}

const VERDICT = ['id', 'status', 'passed', 'reward', 'diagnostics', 'cpuMs', 'wallMs'];

function keepable(column: string): string {
  if (!VERDICT.includes(column)) return column;
  throw new UserError(`--keep: ${column} is a field of the verdict itself.`, EXIT.usage);
}

function whole(flag: string, written: string | undefined, least: number): number | undefined {
  if (written === undefined) return undefined;
  const value = Number(written);
  if (/^\d+$/.test(written) && Number.isSafeInteger(value) && value >= least) return value;
  const allowed = `allowed is a whole number of at least ${least}`;
  throw new UserError(`${flag}: received ${JSON.stringify(written)}, ${allowed}.`, EXIT.usage);
}

function pair(flag: string, written: string, example: string): readonly [string, string] {
  const at = written.indexOf('=');
  const [name, value] = [written.slice(0, Math.max(0, at)).trim(), written.slice(at + 1).trim()];
  if (name !== '' && value !== '') return [name, value];
  throw new UserError(
    `${flag}: received ${JSON.stringify(written)}, allowed is name=value, as in ${flag} ${example}.`,
    EXIT.usage,
  );
}

/** `options.extraction=any` as a part of a row. Values are read as YAML: numbers, true, lists; else text. */
function defaultField(written: string): ReturnType<typeof nest> {
  const [path, text] = pair('--set', written, 'options.extraction=any');
  return nest(path.split('.'), scalar(text));
}

function scalar(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text; // not YAML, so it is a text
  }
}
