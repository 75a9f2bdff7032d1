/** The messages between a cell and its parent, in both directions, as JSON. */
import { isRecord } from '@cipo/support';

/** A job for the child. */
export interface ToCell {
  readonly id: number;
  readonly payload: unknown;
}

/**
 * What a child reports: that it can take jobs, that a job has begun, its result or failure, or why the child is about
 * to die.
 */
export type FromCell =
  | { readonly type: 'ready' }
  | { readonly type: 'begun'; readonly id: number }
  | {
      readonly type: 'done';
      readonly id: number;
      readonly value: unknown;
      readonly cpuMs: number;
      readonly wallMs: number;
    }
  | { readonly type: 'failed'; readonly id: number; readonly detail: string }
  | { readonly type: 'dying'; readonly detail: string };

const MAX_DETAIL_CHARS = 2000;

/** Reads an untrusted message of a child. Returns undefined for a message of another shape, which is then ignored. */
export function readFromCell(message: unknown): FromCell | undefined {
  if (!isRecord(message)) return undefined;
  const { type, id, cpuMs, wallMs } = message;
  if (type === 'ready') return { type };
  const detail =
    typeof message.detail === 'string' ? message.detail.slice(0, MAX_DETAIL_CHARS) : '';
  if (type === 'dying') return { type, detail };
  if (typeof id !== 'number') return undefined;
  if (type === 'begun') return { type, id };
  if (type === 'failed') return { type, id, detail };
  if (type !== 'done' || typeof cpuMs !== 'number' || typeof wallMs !== 'number') return undefined;
  return { type, id, value: message.value, cpuMs, wallMs };
}
