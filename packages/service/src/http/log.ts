/**
 * The access log: one line a request on standard error, as JSON or for people. Bodies, tokens and queries are never
 * in it. Leaves out: what happened to single rows, which the metrics count.
 */
import { pino } from 'pino';

export const LOG_FORMATS = ['json', 'pretty', 'off'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** One answered request. */
export interface Access {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Code of the error, where it was one. */
  readonly code?: string | undefined;
  readonly rows: number;
  readonly bytesIn: number;
  readonly ms: number;
  readonly remote: string;
}

export interface Log {
  access(entry: Access): void;
  /** What happened to the server itself. `error` is told in full: it goes to the operator alone. */
  note(level: 'info' | 'warn' | 'error', message: string, error?: unknown): void;
  /** Writes what is still held back. */
  end(): void;
}

/** Where lines go; standard error unless a test asks for them. */
export interface Sink {
  write(line: string): unknown;
  flushSync?(): void;
}

export function createLog(format: LogFormat, sink: Sink = standardError()): Log {
  if (format === 'off')
    return { access: () => undefined, note: () => undefined, end: () => undefined };
  return format === 'json' ? jsonLog(sink) : prettyLog(sink);
}

/** A reader that does not read must not stop the server: lines are handed over in the background. */
function standardError(): Sink {
  return pino.destination({ dest: 2, sync: false });
}

function jsonLog(sink: Sink): Log {
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, sink);
  return {
    access: (entry) => logger.info({ ...entry, path: printable(entry.path) }, 'request'),
    note: (level, message, error) => {
      if (error === undefined) logger[level](message);
      else logger[level]({ err: error }, message);
    },
    end: () => sink.flushSync?.(),
  };
}

function prettyLog(sink: Sink): Log {
  const write = (text: string) => sink.write(`${new Date().toISOString().slice(11, 23)} ${text}\n`);
  return {
    access: ({ method, path, status, code, rows, ms, requestId }) => {
      const what = code === undefined ? '' : ` ${code}`;
      const many = rows > 0 ? ` ${rows} ${rows === 1 ? 'row' : 'rows'}` : '';
      write(
        `${status} ${method} ${printable(path)}${what}${many} ${ms.toFixed(1)} ms ${requestId}`,
      );
    },
    note: (level, message, error) => {
      const detail = error instanceof Error ? `: ${error.stack ?? error.message}` : '';
      write(printable(`${level} ${message}${detail}`, true));
    },
    end: () => sink.flushSync?.(),
  };
}

/** Text of a caller must not move the cursor or forge a line. */
function printable(text: string, lines = false): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) =>
    lines && character === '\n'
      ? character
      : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
