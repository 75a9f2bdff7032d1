/** Formats numbers, shares and durations for people. Pure; no color. */
import type { Estimate } from '@cipo/trainer';

const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `4,210`. */
export function formatCount(value: number): string {
  return Number.isFinite(value) ? GROUPED.format(value) : '–';
}

/** `1 row`, `4,210 rows`. @param noun a noun whose plural ends in s */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `2.6 M`, `13 k`. */
export function formatShort(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  return value >= 1e4 ? `${Math.round(value / 1e3)} k` : formatCount(value);
}

/** A share in [0, 1] as `41.2 %`; undefined and NaN are `–`. */
export function formatPercent(share: number | undefined): string {
  return share === undefined || !Number.isFinite(share) ? '–' : `${(share * 100).toFixed(1)} %`;
}

/** `41.2 % [38.0, 44.5]`. */
export function formatInterval(estimate: Estimate): string {
  if (!Number.isFinite(estimate.mean)) return '–';
  const [low, high] = [estimate.low, estimate.high].map((bound) => (bound * 100).toFixed(1));
  return `${formatPercent(estimate.mean)} [${low}, ${high}]`;
}

/** A metric of any magnitude with about three significant digits: `0.417`, `12.3`, `3.2e-5`. */
export function formatMetric(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-3) return value.toExponential(1);
  if (size >= 1000) return formatCount(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 3);
}

/** Seconds as `0:42`, `12:05`, `1:02:03`. */
export function formatClock(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  const total = Math.round(seconds);
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60)];
  const tail = String(total % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** The change between two shares in percentage points: `+14.1`, `−0.3`. */
export function formatPoints(before: number, after: number): string {
  const change = (after - before) * 100;
  if (!Number.isFinite(change)) return '–';
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(1)}`;
}

/** Bytes as whole megabytes. */
export function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
