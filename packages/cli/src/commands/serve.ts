/** `cipo serve`: judges rows over HTTP. Leaves out: the server itself (`@cipo/service/http`). */
import { readFileSync } from 'node:fs';
import type { LogFormat, ServeOptions } from '@cipo/service/http';
import { MIB } from '@cipo/support';
import { Command, Option } from 'commander';
import { chooseDomains } from '../config/domains.ts';
import { EXIT, UserError } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { readVersion } from '../version.ts';
import { collect, wholeNumber, withDomains } from './options.ts';

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

The address goes to standard output, one line per request to standard error. SIGTERM or Ctrl-C stops the server after
the running requests are answered. docs/reference/serve.md describes every endpoint and the metrics.`;

const TOKEN_VARIABLE = 'CIPO_TOKEN';

export function serveCommand(): Command {
  const command = new Command('serve')
    .summary('judge rows over HTTP, for trainers in any language')
    .description(
      'Judges rows over HTTP: POST /v1/verify, and the request formats of common trainers.\nA row that cannot be judged gives null or an error, never reward 0.',
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port; 0 takes any free port', wholeNumber(0, 65_535), 8377)
    .option('--token-file <file>', `bearer tokens, one per line (or one in ${TOKEN_VARIABLE})`)
    .option('--insecure', 'allow other machines to connect without a token')
    .option('--allow-host <name>', 'additional Host name to accept; repeatable', collect)
    .option('--workers <n>', 'sandboxes of each kind (default: one per core)', wholeNumber(1));
  return withLimits(withDomains(command)).addHelpText('after', EXAMPLES).action(runServer);
}

function withLimits(command: Command): Command {
  return command
    .option('--concurrency <n>', 'rows judged at once (default: twice the workers)', wholeNumber(1))
    .option('--queue <rows>', 'maximum waiting rows of all requests (default 4096)', wholeNumber(1))
    .option('--queue-ms <ms>', 'maximum wait in the queue (default 60000)', wholeNumber(1))
    .option('--batch <rows>', 'maximum rows per non-stream request (default 1024)', wholeNumber(1))
    .option('--body-mb <MB>', 'maximum body, or line of a stream (default 16)', wholeNumber(1))
    .option('--held-mb <MB>', 'maximum size of all bodies together (default 256)', wholeNumber(1))
    .option('--depth <n>', 'maximum nesting of JSON (default 128)', wholeNumber(1))
    .option(
      '--values <n>',
      'maximum values and keys per JSON text (default 1000000)',
      wholeNumber(1),
    )
    .option('--connections <n>', 'maximum connections (default 4096)', wholeNumber(1))
    .option('--requests <n>', 'maximum requests at once (default 2048)', wholeNumber(1))
    .option('--header-ms <ms>', 'time limit for receiving headers (default 10000)', wholeNumber(1))
    .option('--body-ms <ms>', 'time limit for a body or a line (default 30000)', wholeNumber(1))
    .option(
      '--keep-alive-ms <ms>',
      'idle time until a connection is closed (default 30000)',
      wholeNumber(1),
    )
    .option(
      '--drain-ms <ms>',
      'time for running requests at shutdown (default 30000)',
      wholeNumber(1),
    )
    .addOption(
      new Option('--log <format>', 'access log').choices(['json', 'pretty', 'off']).default('json'),
    );
}

async function runServer(flags: ServeFlags): Promise<void> {
  const { createJudge } = await import('@cipo/service');
  const { createLog, serve, ServeOptionError, serveOptions } = await import('@cipo/service/http');
  const log = createLog(flags.log);
  const options = optionsOf(flags, readTokens(flags.tokenFile));
  const { plugins, domain } = chooseDomains(flags.domain);
  try {
    serveOptions(options); // checked before sandboxes are started
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
  const stopped = Promise.withResolvers<void>();
  using _interrupt = listenForInterrupt(() => stopped.resolve());
  const server = await serve({ judge, log, version: readVersion() }, options).catch(
    explainAddress(flags),
  );
  process.stdout.write(`listening on ${server.url}\n`);
  await stopped.promise;
  await server.close();
}

/** Makes `await using` close the judge. */
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

/** Tokens of the file and of the variable, which is then deleted so that child processes do not inherit it. */
function readTokens(file: string | undefined): readonly string[] {
  const variable = process.env[TOKEN_VARIABLE];
  delete process.env[TOKEN_VARIABLE];
  const lines = file === undefined ? [] : readFileSync(file, 'utf8').split(/\r?\n/);
  const tokens = lines.map((line) => line.trim()).filter((line) => line !== '' && line[0] !== '#');
  if (file !== undefined && tokens.length === 0) {
    throw new UserError(`--token-file: there is no token in ${file}.`, EXIT.usage);
  }
  return variable === undefined || variable === '' ? tokens : [...tokens, variable];
}

function explainAddress({ host, port }: ServeFlags): (error: unknown) => never {
  const messages: Readonly<Record<string, string>> = {
    EADDRINUSE: `--port: port ${port} is in use. Choose another port, or 0 for any free port.`,
    EADDRNOTAVAIL: `--host: ${host} is not an address of this machine.`,
    EACCES: `--port: no permission to listen on port ${port}. Choose a port above 1023.`,
    ENOTFOUND: `--host: the address ${host} is unknown.`,
  };
  return (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const message = messages[code];
    throw message === undefined ? error : new UserError(message, EXIT.usage, { cause: error });
  };
}
