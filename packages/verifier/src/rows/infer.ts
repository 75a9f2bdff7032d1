/**
 * Which domain judges a row: the one it names, the one it is said to have, else the one that its columns
 * can only mean. Never a guess: columns that speak for two are an error that names them.
 */
import { TaskError } from '../types.ts';
import { CODE_FIELDS, testsHolder } from './code.ts';
import { references } from './containers.ts';
import { firstOf, isBlank, own, type Row } from './fields.ts';
import { testsIn } from './tests.ts';

const LABELS: Readonly<Record<string, string>> = {
  math: 'math',
  verifiable_math: 'math',
  code: 'code',
  coding: 'code',
  programming: 'code',
  verifiable_code: 'code',
};

/** @throws {TaskError} on `domain`, where the columns speak for none or for two */
export function domainOf(
  row: Row,
  fallback: string | undefined,
  labels: readonly string[] = [],
): string {
  const named = own(row, 'domain');
  if (typeof named === 'string' && named !== '') return named;
  if (!isBlank(named)) throw new TaskError('domain', 'must be the name of a domain', named);
  const label = LABEL_FIELDS.map((name) => own(row, name)).find(
    (value) => typeof value === 'string' && labels.includes(value),
  );
  if (typeof label === 'string') return label;
  return fallback ?? labelled(row) ?? byColumns(row);
}

/** Columns in which verl (`data_source`, `ability`) and prime-rl (`task_type`) say what a row is about. */
const LABEL_FIELDS = ['data_source', 'ability', 'task_type'];

/** Labels that say nothing about judging are passed over. */
function labelled(row: Row): string | undefined {
  for (const name of ['ability', 'task_type']) {
    const label = String(own(row, name) ?? '').toLowerCase();
    if (Object.hasOwn(LABELS, label)) return LABELS[label];
  }
  return undefined;
}

function byColumns(row: Row): string {
  const forCode = firstOf(row, CODE_FIELDS) ?? testsHolder(row);
  // A code row may know a `solution`, so that column speaks for math only where nothing speaks for code.
  const forMath = references(row).find(
    ({ field, value }) =>
      field !== 'solution' && !field.startsWith(`${forCode}.`) && !testsIn(value, field),
  )?.field;
  if (forCode === undefined && references(row).length > 0) return 'math';
  if (forCode !== undefined && forMath === undefined) return 'code';
  if (forCode === undefined) {
    const problem = 'is missing, and no column says what judges this row';
    throw new TaskError('domain', `${problem}; its columns are ${columns(row)}`, undefined);
  }
  const problem = `is missing and not clear: ${forCode} speaks for code, ${forMath} for math`;
  throw new TaskError('domain', problem, undefined);
}

function columns(row: Row): string {
  const names = Object.keys(row);
  const shown = names.slice(0, 12).map((name) => name.slice(0, 40));
  return names.length === 0 ? 'none' : `${shown.join(', ')}${names.length > 12 ? ', ...' : ''}`;
}
