/** Draws a curve in one line of text, and a progress bar. Pure. */
import { mean } from '@cipo/support';

const LEVELS = '▁▂▃▄▅▆▇█';

/** At most `width` characters, each the mean of its part of the series, scaled from the minimum to the maximum. */
export function sparkline(series: readonly number[], width: number): string {
  const values = series.filter(Number.isFinite);
  if (values.length === 0 || width < 1) return '';
  const columns = bucketMeans(values, Math.min(width, values.length));
  const [low, high] = [Math.min(...columns), Math.max(...columns)];
  const span = high - low;
  return columns
    .map(
      (value) => LEVELS[span === 0 ? 3 : Math.round(((value - low) / span) * (LEVELS.length - 1))],
    )
    .join('');
}

function bucketMeans(values: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * values.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * values.length) / count));
    return mean(values.slice(from, to));
  });
}

/** A bar of `width` characters, in two parts. @param share the part that is done, from 0 to 1 */
export function bar(share: number, width: number): { done: string; left: string } {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return { done: '━'.repeat(filled), left: '─'.repeat(width - filled) };
}
