/**
 * Handles Ctrl-C: the first signal requests an orderly stop, the second ends the process at once.
 * Leaves out: the orderly stop itself (the training loop saves and returns).
 */
import { EXIT } from '../errors.ts';

/** npm and the launcher forward a signal that the terminal has already sent: both belong to one key press. */
const SAME_PRESS_MS = 400;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

/** The part of `process` that is used; a parameter so that a test needs no real signals. */
interface SignalSource {
  on(name: string, listener: () => void): unknown;
  off(name: string, listener: () => void): unknown;
}

/** Listens until disposed. @param onFirst called once, when the first signal arrives */
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
