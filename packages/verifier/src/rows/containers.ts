/**
 * Where the reference stands in a row: at the top, or inside the container column of a trainer
 * (verl's `reward_model` and `extra_info`, `info` of verifiers, `verification_info` of prime-rl).
 */
import { TaskError } from '../types.ts';
import { fromJsonText, isBlank, isRecord, own, type Row } from './fields.ts';

/** A value and the path that it was found at. */
export interface Found {
  readonly field: string;
  readonly value: unknown;
}

/** A container column as an object, also where it is JSON text. @throws {TaskError} where it is neither */
export function container(row: Row, name: string): Row | undefined {
  const raw = own(row, name);
  if (isBlank(raw)) return undefined;
  const value = fromJsonText(raw);
  if (isRecord(value)) return value;
  // Only these two are trainers' own; `info` may be anybody's text.
  if (name === 'reward_model' || name === 'verification_info') {
    throw new TaskError(name, 'must be an object or the JSON text of one', raw);
  }
  return undefined;
}

const NESTED: readonly (readonly [string, readonly string[]])[] = [
  ['reward_model', ['ground_truth']],
  ['verification_info', ['ground_truth', 'answer']],
  ['info', ['ground_truth', 'answer', 'solution']],
  ['extra_info', ['ground_truth']],
];

const TOP = ['answer', 'ground_truth', 'final_answer', 'expected_answer', 'solution'] as const;

/** Every reference of the row that says something, in order of precedence. */
export function references(row: Row): Found[] {
  const top = TOP.map((field) => ({ field, value: own(row, field) }));
  const nested = NESTED.flatMap(([name, fields]) => {
    const inside = container(row, name);
    return fields.map((field) => ({ field: `${name}.${field}`, value: own(inside, field) }));
  });
  return [...top, ...nested].filter(({ value }) => !isBlank(value));
}

/** The id: the row's own, a data set's, or verl's source, split and index. Empty where there is none. */
export function idOf(row: Row): string {
  for (const name of ['id', 'task_id', 'problem_id', 'question_id', 'unique_id', 'uid']) {
    const value = own(row, name);
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  }
  return verlId(row);
}

function verlId(row: Row): string {
  const extra = isRecord(row.extra_info) ? row.extra_info : undefined;
  const index = own(extra, 'index');
  if (!['number', 'bigint', 'string'].includes(typeof index)) return '';
  const parts = [own(row, 'data_source'), own(extra, 'split'), index];
  return parts.filter((part) => part !== undefined && part !== null && part !== '').join('/');
}
