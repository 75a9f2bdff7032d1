/**
 * Finds the domain of a row: the one it names, the configured one, or the only one that its columns allow.
 * Never guesses: columns of two domains are an error that names them.
 */
import type { UnknownRecord } from '@cipo/support';
import { TaskError } from '../types.ts';
import { CODE_FIELDS, testsHolder } from './code.ts';
import { references } from './containers.ts';
import { firstOf, isBlank, own } from './fields.ts';
import { testsIn } from './tests.ts';

/** What `ability` and `task_type` say in public data sets, and the domain that it means. */
const LABELS: Readonly<Record<string, string>> = {
  math: 'math',
  verifiable_math: 'math',
  code: 'code',
  coding: 'code',
  programming: 'code',
  verifiable_code: 'code',
};

/** Columns in which verl (`data_source`, `ability`) and prime-rl (`task_type`) name the kind of task. */
const LABEL_FIELDS = ['data_source', 'ability', 'task_type'] as const;

/** Column names that an error message lists. */
const MAX_LISTED = 12;

/**
 * @param fallback domain of rows that name none
 * @param labels plug-in names that a label column may hold
 * @throws {TaskError} on `domain`, if the columns belong to no domain or to two
 */
export function inferDomain(
  row: UnknownRecord,
  fallback: string | undefined,
  labels: readonly string[] = [],
): string {
  const named = own(row, 'domain');
  if (typeof named === 'string' && named !== '') return named;
  if (!isBlank(named)) throw new TaskError('domain', 'expected the name of a domain', named);
  const label = LABEL_FIELDS.map((name) => own(row, name)).find(
    (value) => typeof value === 'string' && labels.includes(value),
  );
  if (typeof label === 'string') return label;
  return fallback ?? fromLabels(row) ?? fromColumns(row);
}

function fromLabels(row: UnknownRecord): string | undefined {
  for (const name of ['ability', 'task_type']) {
    const label = String(own(row, name) ?? '').toLowerCase();
    if (Object.hasOwn(LABELS, label)) return LABELS[label];
  }
  return undefined;
}

function fromColumns(row: UnknownRecord): string {
  const forCode = firstOf(row, CODE_FIELDS) ?? testsHolder(row);
  // Code rows may have a `solution` too, so that column means math only if no column means code.
  const forMath = references(row).find(
    ({ field, value }) =>
      field !== 'solution' && !field.startsWith(`${forCode}.`) && !testsIn(value, field),
  )?.field;
  if (forCode === undefined && references(row).length > 0) return 'math';
  if (forCode !== undefined && forMath === undefined) return 'code';
  if (forCode === undefined) {
    const problem = `is missing and cannot be inferred; set \`domain\`; the columns are ${listColumns(row)}`;
    throw new TaskError('domain', problem, undefined);
  }
  const problem = `is missing and ambiguous: ${forCode} means code, ${forMath} means math; set \`domain\``;
  throw new TaskError('domain', problem, undefined);
}

function listColumns(row: UnknownRecord): string {
  const names = Object.keys(row);
  const listed = names.slice(0, MAX_LISTED).map((name) => name.slice(0, 40));
  if (names.length === 0) return 'none';
  return `${listed.join(', ')}${names.length > MAX_LISTED ? ', ...' : ''}`;
}
