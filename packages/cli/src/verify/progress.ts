/** Shows the progress of `cipo verify` on standard error, unless verdicts are printed to the same terminal. */
import { formatClock, formatCount, formatPercent, plural } from '../terminal/format.ts';
import { Meter } from '../terminal/meter.ts';
import type { Input } from './input.ts';
import type { Tally } from './tally.ts';

const EVERY_MS = 250;
/** Below this share the time left cannot be estimated. */
const MIN_SHARE = 0.005;

interface ProgressOptions {
  readonly quiet: boolean;
  readonly out: string | undefined;
}

export function startProgress(
  tally: Tally,
  input: Input,
  { quiet, out }: ProgressOptions,
): { close(): void } {
  // Verdicts that scroll through the terminal show the progress, and a live line would break them up.
  const sharesTerminal = out === undefined && process.stdout.isTTY === true;
  if (quiet || sharesTerminal) return { close: () => undefined };
  const meter = new Meter(process.stderr, 'verifying');
  const draw = () => meter.show(input.share(), progressParts(tally, input.share()));
  const timer = setInterval(draw, EVERY_MS);
  timer.unref();
  return {
    close() {
      clearInterval(timer);
      meter.close();
    },
  };
}

function progressParts(tally: Tally, share: number | undefined): string[] {
  const { rows, passed, failed, unjudged } = tally.total;
  const { seconds } = tally;
  const left =
    share === undefined || share < MIN_SHARE || share >= 1
      ? ''
      : `about ${formatClock((seconds / share) * (1 - share))} left`;
  return [
    plural(rows, 'row'),
    `${formatCount(rows / seconds)}/s`,
    passed + failed === 0 ? '' : `${formatPercent(passed / (passed + failed))} passed`,
    unjudged === 0 ? '' : `${formatCount(unjudged)} without a judgement`,
    left,
  ];
}
