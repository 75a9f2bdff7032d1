/** `cipo serve`: verdicts over HTTP. Leaves out: the server itself (`@cipo/service/http`). */
import { readFileSync } from 'node:fs';
import type { LogFormat, ServeOptions } from '@cipo/service/http';
import { Command, InvalidArgumentError, Option } from 'commander';
import { chosenDomains } from '../config/domains.ts';
import { EXIT, UserError } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { version } from '../version.ts';
import { collect, withDomains } from './options.ts';

interface ServeFlags {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly insecure?: boolean;
  readonly allowHost?: string[];
  readonly workers?: number;
  readonly domain?: string[];
  readonly concurrency?: number;
  readonly queue?: number;
  readonly queueMs?: number;
  readonly batch?: number;
  readonly bodyMb?: number;
  readonly heldMb?: number;
  readonly depth?: number;
  readonly values?: number;
  readonly connections?: number;
  readonly requests?: number;
  readonly headerMs?: number;
  readonly bodyMs?: number;
  readonly keepAliveMs?: number;
  readonly drainMs?: number;
  readonly log: LogFormat;
}

const EXAMPLES = `
Examples:
  $ cipo serve
  $ cipo serve --port 0 --log pretty
  $ cipo serve --host 0.0.0.0 --token-file token.txt --domain ./my-domain.ts
  $ curl http://127.0.0.1:8377/v1/verify -H 'content-type: application/json' \\
      -d '{"domain": "math", "answer": "1/2", "response": "It is \\\\boxed{0.5}."}'

The address goes to standard output, one line a request to standard error. SIGTERM or Ctrl-C ends it once what is
under way is answered. docs/reference/serve.md has every endpoint, the metrics, and what a caller may see.`;

const TOKEN_VARIABLE = 'CIPO_TOKEN';
const MIB = 1 << 20;

export function serveCommand(): Command {
  const command = new Command('serve')
    .summary('verdicts over HTTP, for trainers in any language')
    .description(
      'Judges rows over HTTP: its own POST /v1/verify, and the formats that trainers already speak.\nWhat cannot be judged is null or an error, never reward 0.',
    )
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option('--port <n>', 'port; 0 takes any free one', whole(0, 65_535), 8377)
    .option('--token-file <file>', `bearer tokens, one a line (or one in ${TOKEN_VARIABLE})`)
    .option('--insecure', 'listen beyond this machine without a token')
    .option('--allow-host <name>', 'further Host name to answer to; repeatable', collect)
    .option('--workers <n>', 'sandboxes of each kind (default: one a core)', whole(1));
  return withLimits(withDomains(command)).addHelpText('after', EXAMPLES).action(run);
}

function withLimits(command: Command): Command {
  return command
    .option('--concurrency <n>', 'rows judged at once (default: twice the workers)', whole(1))
    .option('--queue <rows>', 'rows that may wait, over all requests (default 4096)', whole(1))
    .option('--queue-ms <ms>', 'a request waits no longer for its turn (default 60000)', whole(1))
    .option('--batch <rows>', 'rows of one request that is no stream (default 1024)', whole(1))
    .option('--body-mb <MB>', 'size of a body, or of a line of a stream (default 16)', whole(1))
    .option('--held-mb <MB>', 'size of all bodies at once (default 256)', whole(1))
    .option('--depth <n>', 'nesting of JSON (default 128)', whole(1))
    .option('--values <n>', 'values and keys in one JSON text (default 1000000)', whole(1))
    .option('--connections <n>', 'connections at once (default 4096)', whole(1))
    .option('--requests <n>', 'requests under way at once (default 2048)', whole(1))
    .option('--header-ms <ms>', 'for the headers of a request to come (default 10000)', whole(1))
    .option('--body-ms <ms>', 'for a body or a line to come (default 30000)', whole(1))
    .option('--keep-alive-ms <ms>', 'an idle connection is kept (default 30000)', whole(1))
    .option('--drain-ms <ms>', 'work under way is given at the end (default 30000)', whole(1))
    .addOption(
      new Option('--log <format>', 'access log').choices(['json', 'pretty', 'off']).default('json'),
    );
}

function whole(least: number, most = Number.MAX_SAFE_INTEGER): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= least && number <= most) return number;
    const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${most}`;
    throw new InvalidArgumentError(`It must be a whole number of at least ${least}${upTo}.`);
  };
}

async function run(flags: ServeFlags): Promise<void> {
  const { createJudge } = await import('@cipo/service');
  const { createLog, serve, ServeOptionError, serveOptions } = await import('@cipo/service/http');
  const log = createLog(flags.log);
  const options = optionsOf(flags, readTokens(flags.tokenFile));
  const { plugins, domain } = chosenDomains(flags.domain);
  try {
    serveOptions(options); // before sandboxes are started for nothing
  } catch (error) {
    if (error instanceof ServeOptionError) throw new UserError(error.message, EXIT.usage);
    throw error;
  }
  await using judge = disposable(
    await createJudge({
      plugins,
      ...(domain !== undefined && { domain }),
      ...(flags.workers !== undefined && { workers: flags.workers }),
    }),
  );
  const asked = Promise.withResolvers<void>();
  using _interrupt = listenForInterrupt(() => asked.resolve());
  const server = await serve({ judge, log, version: version() }, options).catch(
    explainAddress(flags),
  );
  process.stdout.write(`listening on ${server.url}\n`);
  await asked.promise;
  await server.close();
}

/** Closed however the command ends. */
function disposable<T extends { close(): Promise<void> }>(judge: T): T & AsyncDisposable {
  return Object.assign(judge, { [Symbol.asyncDispose]: () => judge.close() });
}

function optionsOf(flags: ServeFlags, tokens: readonly string[]): Partial<ServeOptions> {
  const { host, port, insecure, allowHost, workers, concurrency, queue, batch, depth, values } =
    flags;
  const { queueMs, bodyMb, heldMb, headerMs, bodyMs, keepAliveMs, drainMs } = flags;
  const given = {
    ...{ host, port, tokens, insecure, allowHosts: allowHost },
    concurrency: concurrency ?? (workers === undefined ? undefined : workers * 2),
    ...{ queueRows: queue, queueMs, batchRows: batch, jsonDepth: depth, jsonValues: values },
    bodyBytes: bodyMb === undefined ? undefined : bodyMb * MIB,
    heldBytes: heldMb === undefined ? undefined : heldMb * MIB,
    ...{ connections: flags.connections, requests: flags.requests },
    ...{ headerMs, bodyMs, keepAliveMs, drainMs },
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Tokens of the file and the variable; the variable is then hidden from the processes that we start. */
function readTokens(file: string | undefined): readonly string[] {
  const variable = process.env[TOKEN_VARIABLE];
  delete process.env[TOKEN_VARIABLE];
  const lines = file === undefined ? [] : readFileSync(file, 'utf8').split(/\r?\n/);
  const tokens = lines.map((line) => line.trim()).filter((line) => line !== '' && line[0] !== '#');
  if (file !== undefined && tokens.length === 0)
    throw new UserError(`--token-file: there is no token in ${file}.`, EXIT.usage);
  return variable === undefined || variable === '' ? tokens : [...tokens, variable];
}

function explainAddress({ host, port }: ServeFlags): (error: unknown) => never {
  const words: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} is taken. Choose another with --port, or 0 for any free one.`,
    EADDRNOTAVAIL: `${host} is no address of this machine (--host).`,
    EACCES: `No permission to listen at port ${port}. Choose one above 1023 with --port.`,
    ENOTFOUND: `${host} is not known as an address (--host).`,
  };
  return (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const known = words[code];
    throw known === undefined ? error : new UserError(known, EXIT.usage, { cause: error });
  };
}
