/**
 * Builds a row from a response and a label. A label is what a data set provides to judge a task: the reference answer,
 * tests, or the fields of a row as JSON. Leaves out: which fields a row may have.
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { badRequest } from '../http/problem.ts';
import { isAbsent } from './fields.ts';
import { parseJsonField } from './json.ts';

/** An object with any of these keys is a row. Other objects (`{"inputs": ..., "outputs": ...}`) are a reference. */
const ROW_FIELDS = [
  'domain',
  'answer',
  'ground_truth',
  'solution',
  'tests',
  'test_list',
  'input_output',
  'reward_model',
] as const;

/** @throws {Problem} 400 if the label is missing */
export function rowOf(response: string, label: unknown, field: string): UnknownRecord {
  if (isAbsent(label) || label === '') {
    throw badRequest(field, 'is missing: the response cannot be judged without it', label);
  }
  const fields = rowFields(label, field);
  return fields ? { ...fields, response } : { ground_truth: label, response };
}

function rowFields(label: unknown, field: string): UnknownRecord | undefined {
  // LaTeX may begin with a brace too, so a text that does not parse is a reference.
  const isObjectText = typeof label === 'string' && /^\s*\{/.test(label);
  const value = isObjectText ? parseJsonField(label, field) : label;
  return isRecord(value) && ROW_FIELDS.some((name) => Object.hasOwn(value, name))
    ? value
    : undefined;
}
