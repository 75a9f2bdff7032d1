/** A verdict row as a line of JSON that is safe to show anywhere. */
import { type RowVerdict, rowTrouble } from './judge.ts';

/** Characters that JSON leaves as they are and a terminal may act on: C1 controls, bidi and zero width marks. */
const HIDDEN = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** One line of JSON without its line break. Never throws: a verdict that cannot be written is trouble of ours. */
export function verdictLine(verdict: RowVerdict): string {
  try {
    return safe(JSON.stringify(verdict, writable));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return safe(JSON.stringify(rowTrouble(verdict.id, `the verdict cannot be written: ${reason}`)));
  }
}

const writable = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? value.toString() : value;

function safe(json: string): string {
  return json.replace(HIDDEN, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
