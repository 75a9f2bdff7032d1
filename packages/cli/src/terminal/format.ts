/** Numbers, shares and durations as people read them. Pure; no colour. */
import type { Estimate } from '@cipo/trainer';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `4,210`. */
export function whole(value: number): string {
  return Number.isFinite(value) ? grouped.format(value) : '–';
}

/** `2.6 M`, `13 k`: a size at a glance. */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  return value >= 1e4 ? `${Math.round(value / 1e3)} k` : whole(value);
}

/** A share in [0, 1] as `41.2 %`; absent or NaN is `–`. */
export function percent(share: number | undefined): string {
  return share === undefined || !Number.isFinite(share) ? '–' : `${(share * 100).toFixed(1)} %`;
}

/** `41.2 % [38.0, 44.5]`. */
export function interval(estimate: Estimate): string {
  if (!Number.isFinite(estimate.mean)) return '–';
  const [low, high] = [estimate.low, estimate.high].map((bound) => (bound * 100).toFixed(1));
  return `${percent(estimate.mean)} [${low}, ${high}]`;
}

/** A metric of any size with three significant digits: `0.417`, `12.3`, `3.2e-5`. */
export function metric(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-3) return value.toExponential(1);
  if (size >= 1000) return whole(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 3);
}

/** Seconds as `0:42`, `12:05`, `1:02:03`. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  const total = Math.round(seconds);
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60)];
  const tail = String(total % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** Points of change between two shares: `+14.1`, `−0.3`. */
export function points(before: number, after: number): string {
  const change = (after - before) * 100;
  if (!Number.isFinite(change)) return '–';
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(1)}`;
}

/** Bytes as whole megabytes. */
export const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
