/** Reads the id of a row. The only reader of ids: the domains, the service and the command use it. */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { own } from './fields.ts';

const ID_FIELDS = ['id', 'task_id', 'problem_id', 'question_id', 'unique_id', 'uid'] as const;

/**
 * The id of a row: its own, that of its data set (`task_id`, `unique_id`, ...), or `data_source/split/index` of verl.
 * Never throws, so that even an unreadable row can be named.
 * @returns undefined if the row has none; a domain then derives one from the content
 */
export function readId(row: unknown): string | undefined {
  if (!isRecord(row)) return undefined;
  for (const name of ID_FIELDS) {
    const value = own(row, name);
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  }
  return verlId(row);
}

function verlId(row: UnknownRecord): string | undefined {
  const extra = isRecord(row.extra_info) ? row.extra_info : undefined;
  const index = own(extra, 'index');
  if (!['number', 'bigint', 'string'].includes(typeof index)) return undefined;
  const parts = [own(row, 'data_source'), own(extra, 'split'), index];
  const id = parts.filter((part) => part !== undefined && part !== null && part !== '').join('/');
  return id === '' ? undefined : id;
}
