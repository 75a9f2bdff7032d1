/**
 * The access log: one line per request on standard error, as JSON or human-readable. It never contains bodies, tokens or
 * query strings. Leaves out: single rows, which the metrics count.
 */
import { pino } from 'pino';

/** The format of log lines: one JSON object each, human-readable, or none. */
export type LogFormat = 'json' | 'pretty' | 'off';

/** One request that was answered. */
export interface AccessEntry {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Code of the error reply, if there was one. */
  readonly code?: string | undefined;
  /** Number of rows in the request. */
  readonly rows: number;
  readonly bytesIn: number;
  /** Milliseconds from the headers of the request to the end of its reply. */
  readonly ms: number;
  /** Address of the client. */
  readonly remote: string;
}

/** Where the server writes its access log and its own events. Create one with {@link createLog}. */
export interface Log {
  /** Logs one request. */
  access(entry: AccessEntry): void;
  /** Logs an event of the server itself. `error` is written in full: only the operator reads the log. */
  note(level: 'info' | 'warn' | 'error', message: string, error?: unknown): void;
  /** Writes lines that are still buffered. */
  end(): void;
}

/** The destination of log lines. */
export interface LogSink {
  write(line: string): unknown;
  flushSync?(): void;
}

/**
 * Creates a log.
 *
 * @param sink destination of the lines. Default: standard error
 */
export function createLog(format: LogFormat, sink: LogSink = standardError()): Log {
  if (format === 'off') {
    return { access: () => undefined, note: () => undefined, end: () => undefined };
  }
  return format === 'json' ? createJsonLog(sink) : createPrettyLog(sink);
}

/** Writes asynchronously, so that a process that does not read the log cannot block the server. */
function standardError(): LogSink {
  return pino.destination({ dest: 2, sync: false });
}

function createJsonLog(sink: LogSink): Log {
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, sink);
  return {
    access: (entry) => logger.info({ ...entry, path: escapeControls(entry.path) }, 'request'),
    note: (level, message, error) => {
      if (error === undefined) logger[level](message);
      else logger[level]({ err: error }, message);
    },
    end: () => sink.flushSync?.(),
  };
}

function createPrettyLog(sink: LogSink): Log {
  const write = (text: string) => sink.write(`${new Date().toISOString().slice(11, 23)} ${text}\n`);
  return {
    access: ({ method, path, status, code, rows, ms, requestId }) => {
      const codePart = code === undefined ? '' : ` ${code}`;
      const rowsPart = rows > 0 ? ` ${rows} ${rows === 1 ? 'row' : 'rows'}` : '';
      const request = `${method} ${escapeControls(path)}`;
      write(`${status} ${request}${codePart}${rowsPart} ${ms.toFixed(1)} ms ${requestId}`);
    },
    note: (level, message, error) => {
      const detail = error instanceof Error ? `: ${error.stack ?? error.message}` : '';
      write(escapeControls(`${level} ${message}${detail}`, true));
    },
    end: () => sink.flushSync?.(),
  };
}

/** Escapes characters with which a client could move the cursor or forge a line. */
function escapeControls(text: string, keepNewlines = false): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) =>
    keepNewlines && character === '\n'
      ? character
      : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
