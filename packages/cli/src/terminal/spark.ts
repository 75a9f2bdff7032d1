/** A curve in one line of text, and a bar. Pure. */

const LEVELS = '▁▂▃▄▅▆▇█';

/** The series squeezed into `width` characters, each the mean of its share; scaled from its own least to its most. */
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

/** NaN where there is nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A bar of `width` characters, `share` of it done. */
export function bar(share: number, width: number): { done: string; left: string } {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return { done: '━'.repeat(filled), left: '─'.repeat(width - filled) };
}
