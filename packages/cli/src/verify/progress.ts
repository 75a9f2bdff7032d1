/** Progress of `cipo verify` on standard error: a live line where nothing else is written to the same terminal. */
import { clock, percent, whole } from '../terminal/format.ts';
import { Meter } from '../terminal/meter.ts';
import type { Input } from './input.ts';
import type { Tally } from './tally.ts';

const EVERY_MS = 250;
/** Before this share an estimate is a guess. */
const LEAST_SHARE = 0.005;

export interface ProgressOptions {
  readonly quiet: boolean;
  readonly out: string | undefined;
}

export function startProgress(
  tally: Tally,
  input: Input,
  { quiet, out }: ProgressOptions,
): { close(): void } {
  // Verdicts that scroll through the terminal are progress enough, and a live line would tear them.
  const sharesTerminal = out === undefined && process.stdout.isTTY === true;
  if (quiet || sharesTerminal) return { close: () => undefined };
  const meter = new Meter(process.stderr, 'verifying');
  const draw = () => meter.show(input.share(), parts(tally, input.share()));
  const timer = setInterval(draw, EVERY_MS);
  timer.unref();
  return {
    close() {
      clearInterval(timer);
      meter.close();
    },
  };
}

function parts(tally: Tally, share: number | undefined): string[] {
  const { rows, passed, failed, unjudged } = tally.total;
  const { seconds } = tally;
  const left =
    share === undefined || share < LEAST_SHARE || share >= 1
      ? ''
      : `about ${clock((seconds / share) * (1 - share))} left`;
  return [
    `${whole(rows)} rows`,
    `${whole(rows / seconds)}/s`,
    passed + failed === 0 ? '' : `${percent(passed / (passed + failed))} passed`,
    unjudged === 0 ? '' : `${whole(unjudged)} without judgement`,
    left,
  ];
}
