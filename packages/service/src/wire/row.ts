/**
 * A response and a label as a row. A label is what a data set says of a task: the right answer, tests,
 * or, as JSON, the fields of a row. Leaves out: what rows may look like.
 */
import { badRequest } from '../http/problem.ts';
import { type Fields, isAbsent, isRecord } from './fields.ts';
import { jsonIn } from './json.ts';

/** Any of these makes an object a row; other objects (`{"inputs": ..., "outputs": ...}`) are a reference. */
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

export function rowOf(response: string, label: unknown, field: string): Fields {
  if (isAbsent(label) || label === '') {
    throw badRequest(field, 'is missing: it says what the response is judged by', label);
  }
  const fields = fieldsIn(label, field);
  return fields ? { ...fields, response } : { ground_truth: label, response };
}

function fieldsIn(label: unknown, field: string): Fields | undefined {
  const isText = typeof label === 'string'; // LaTeX may begin with a brace, too
  const value = isText && /^\s*\{/.test(label) ? jsonIn(label, field) : label;
  return isRecord(value) && ROW_FIELDS.some((name) => Object.hasOwn(value, name))
    ? value
    : undefined;
}
