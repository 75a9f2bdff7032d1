/**
 * Builds a row from a response and a label. A label is what a data set provides to judge a task: the reference answer,
 * tests, or the fields of a row as JSON. Leaves out: which fields a row may have.
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { ROW_FIELDS } from '@cipo/verifier/rows';
import { badRequest } from '../http/problem.ts';
import { isAbsent } from './fields.ts';
import { parseJsonField } from './json.ts';

/** @throws {Problem} 400 if the label is missing */
export function rowOf(response: string, label: unknown, field: string): UnknownRecord {
  if (isAbsent(label) || label === '') {
    throw badRequest(field, 'is missing: the response cannot be judged without it', label);
  }
  const fields = rowFields(label, field);
  return fields ? { ...fields, response } : { ground_truth: label, response };
}

/** An object with a column of a row is a row. Other objects (`{"inputs": ..., "outputs": ...}`) are a reference. */
function rowFields(label: unknown, field: string): UnknownRecord | undefined {
  // LaTeX may begin with a brace too, so a text that does not parse is a reference.
  const isObjectText = typeof label === 'string' && /^\s*\{/.test(label);
  const value = isObjectText ? parseJsonField(label, field) : label;
  return isRecord(value) && ROW_FIELDS.some((name) => Object.hasOwn(value, name))
    ? value
    : undefined;
}
