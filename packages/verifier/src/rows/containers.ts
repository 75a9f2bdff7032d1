/**
 * Finds the reference of a row: in a top-level column, or inside a trainer's container column (`reward_model` and
 * `extra_info` of verl, `info` of verifiers, `verification_info` of prime-rl).
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { TaskError } from '../types.ts';
import { fromJsonText, isBlank, own } from './fields.ts';

/** A value and the path at which it was found. */
export interface Found {
  readonly field: string;
  readonly value: unknown;
}

/**
 * A container column as an object. JSON text is parsed.
 * @throws {TaskError} if `reward_model` or `verification_info` is something else; the other names are not specific
 */
export function container(row: UnknownRecord, name: string): UnknownRecord | undefined {
  const raw = own(row, name);
  if (isBlank(raw)) return undefined;
  const value = fromJsonText(raw);
  if (isRecord(value)) return value;
  if (name === 'reward_model' || name === 'verification_info') {
    throw new TaskError(name, 'expected an object or JSON text of an object', raw);
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

/** The columns that can hold a reference, for an error message. */
export const REFERENCE_COLUMNS = `${TOP.join(', ')}, or one of them in ${NESTED.map(([name]) => name).join(', ')}`;

/** Names of the columns that can hold a reference: top-level columns and container columns. */
export const REFERENCE_FIELDS: readonly string[] = [...TOP, ...NESTED.map(([name]) => name)];

/** Every reference of the row that is not blank, in order of precedence. */
export function references(row: UnknownRecord): Found[] {
  const top = TOP.map((field) => ({ field, value: own(row, field) }));
  const nested = NESTED.flatMap(([name, fields]) => {
    const inside = container(row, name);
    return fields.map((field) => ({ field: `${name}.${field}`, value: own(inside, field) }));
  });
  return [...top, ...nested].filter(({ value }) => !isBlank(value));
}
