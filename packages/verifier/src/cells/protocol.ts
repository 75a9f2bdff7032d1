/** The messages between a cell and its parent, both ways, as JSON. */

export interface ToCell {
  readonly id: number;
  readonly payload: unknown;
}

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

/** Reads a message of a child that may have been taken over: anything out of shape is dropped. */
export function readFromCell(message: unknown): FromCell | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined;
  const m = message as Record<string, unknown>;
  if (m.type === 'ready') return { type: 'ready' };
  if (m.type === 'dying') return { type: 'dying', detail: String(m.detail).slice(0, 2000) };
  if (typeof m.id !== 'number') return undefined;
  if (m.type === 'begun') return { type: 'begun', id: m.id };
  if (m.type === 'failed') {
    return { type: 'failed', id: m.id, detail: String(m.detail).slice(0, 2000) };
  }
  const { cpuMs, wallMs } = m;
  if (m.type !== 'done' || typeof cpuMs !== 'number' || typeof wallMs !== 'number')
    return undefined;
  return { type: 'done', id: m.id, value: m.value, cpuMs, wallMs };
}
