/** Decides whether a stream gets color and a live area. */
import type { WriteStream } from 'node:tty';
import picocolors from 'picocolors';

/** Functions that color a text, or return it as it is. */
export type Style = ReturnType<typeof picocolors.createColors>;

export const PLAIN_STYLE: Style = picocolors.createColors(false);
export const COLOR_STYLE: Style = picocolors.createColors(true);

/** Environment variables; a parameter so that tests need no real terminal. */
interface Environment {
  readonly [name: string]: string | undefined;
}

/** Color on terminals. NO_COLOR turns it off (https://no-color.org); FORCE_COLOR turns it on everywhere. */
export function wantsColor(isTerminal: boolean, environment: Environment): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR && environment.FORCE_COLOR !== '0') return true;
  return isTerminal && environment.TERM !== 'dumb';
}

/** A live area needs a terminal that can move its cursor. */
export function wantsLive(isTerminal: boolean, environment: Environment): boolean {
  return isTerminal && environment.TERM !== 'dumb';
}

export function styleOf(stream: Pick<WriteStream, 'isTTY'> | NodeJS.WritableStream): Style {
  const isTerminal = 'isTTY' in stream && stream.isTTY === true;
  return wantsColor(isTerminal, process.env) ? COLOR_STYLE : PLAIN_STYLE;
}
