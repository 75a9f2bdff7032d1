/**
 * Ctrl-C in two steps: the first asks for an orderly end, the second ends the process now.
 * Leaves out: what an orderly end is (the loop saves and returns).
 */
import { EXIT } from '../errors.ts';

/** npm and a Node 20 launcher pass on the signal that a terminal has already sent: those are one key press. */
const SAME_PRESS_MS = 400;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

/** What it needs of the process; a parameter so that a test needs no real signals. */
export interface SignalSource {
  on(name: string, listener: () => void): unknown;
  off(name: string, listener: () => void): unknown;
}

/** @param onFirst told once, when the first signal arrives. */
export function listenForInterrupt(
  onFirst: () => void,
  source: SignalSource = process,
  end: (code: number) => void = (code) => process.exit(code),
  now: () => number = () => performance.now(),
): Interrupt {
  const controller = new AbortController();
  let lastMs = Number.NEGATIVE_INFINITY;
  const listener = () => {
    const sincePressMs = now() - lastMs;
    lastMs = now();
    if (!controller.signal.aborted) {
      controller.abort();
      onFirst();
    } else if (sincePressMs > SAME_PRESS_MS) end(EXIT.interrupted);
  };
  for (const name of SIGNALS) source.on(name, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) source.off(name, listener);
    },
  };
}
