/** Native columns of a math row. Leaves out: reading the reference itself, which the math domain does. */
import type { UnknownRecord } from '@cipo/support';
import { TaskError } from '../types.ts';
import { container, type Found, REFERENCE_COLUMNS, references } from './containers.ts';
import { firstOf, fromJsonText, own, single } from './fields.ts';

/**
 * `answer`, and `question` if the row has one.
 * @throws {TaskError} if the row has no reference, or several
 */
export function mathFields(row: UnknownRecord): UnknownRecord {
  const { field, value } = findReference(row);
  const question = findQuestion(row);
  return { answer: unwrap(value, field), ...(question === undefined ? {} : { question }) };
}

/** The reference of a math row. @throws {TaskError} if it has none */
export function findReference(row: UnknownRecord): Found {
  const [first] = references(row);
  if (first) return first;
  const problem = `is missing: a math row needs ${REFERENCE_COLUMNS}`;
  throw new TaskError('answer', problem, own(row, 'answer'));
}

/** The problem text of a math row: `question` or `problem`, unchecked, or the question in a container column. */
export function findQuestion(row: UnknownRecord): unknown {
  const name = firstOf(row, ['question', 'problem']);
  if (name !== undefined) return row[name];
  const inside = ['extra_info', 'info'].map((field) => own(container(row, field), 'question'));
  return inside.find((value) => typeof value === 'string' && value !== '');
}

/** Some data sets write one answer as a list, or as JSON text of a list: `["34"]`. */
function unwrap(value: unknown, field: string): unknown {
  const list = typeof value === 'string' && /^\s*\["/.test(value) ? fromJsonText(value) : value;
  return single(list, field, 'answers');
}
