/** Whether a stream gets colour, a live area, or plain lines; and the handful of looks the command uses. */
import type { WriteStream } from 'node:tty';
import picocolors from 'picocolors';

export type Style = ReturnType<typeof picocolors.createColors>;

export const plainStyle: Style = picocolors.createColors(false);
export const colourStyle: Style = picocolors.createColors(true);

/** What is asked of the environment; a parameter so that tests need no real terminal. */
export interface Environment {
  readonly [name: string]: string | undefined;
}

/** Colour on terminals, unless NO_COLOR says no (https://no-color.org); FORCE_COLOR says yes anywhere. */
export function wantsColour(isTerminal: boolean, environment: Environment): boolean {
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
  return wantsColour(isTerminal, process.env) ? colourStyle : plainStyle;
}
