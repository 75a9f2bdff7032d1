/**
 * @packageDocumentation
 * Turns rows in the formats of public data sets and trainers into the columns that domains read: verl, Hugging Face and
 * TRL, prime-rl and verifiers, HumanEval, MBPP, APPS and GSM8K. Unknown columns are kept. `docs/reference/rows.md` has the table.
 * Leaves out: judging, and checking whether a reference can be read.
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { type Message, TaskError } from '../types.ts';
import { CODE_FIELDS, codeFields } from './code.ts';
import { container, REFERENCE_FIELDS, references } from './containers.ts';
import { fromJsonText, isBlank } from './fields.ts';
import { readId } from './id.ts';
import { inferDomain } from './infer.ts';
import { mathFields } from './math.ts';
import { findPrompt, toMessages } from './prompt.ts';
import { readResponse } from './response.ts';

export { parseJson } from './fields.ts';
export { readId } from './id.ts';
export { readResponse } from './response.ts';

/**
 * Names of columns that show that an object is a row: `domain`, the columns that can hold a reference (`answer`,
 * `reward_model`, ...) and those that only code rows have (`tests`, `input_output`, ...).
 */
export const ROW_FIELDS: readonly string[] = ['domain', ...REFERENCE_FIELDS, ...CODE_FIELDS];

/** How {@link normalizeRow} finds the domain of a row that does not name one. */
export interface NormalizeOptions {
  /** Domain of rows without a `domain` column. Default: inferred from their columns if these are unambiguous. */
  readonly domain?: string | undefined;
  /** Names of plug-in domains that `data_source`, `ability` or `task_type` may hold instead of `domain`. */
  readonly labels?: readonly string[];
}

/** A row after normalization: what every row has in common, and the columns for its domain. */
export interface NormalizedRow {
  /** Name of the domain that judges the row. */
  readonly domain: string;
  /** Absent if the row has none. */
  readonly id?: string;
  /** Absent if the row has none, or one that is not text or chat messages (a plug-in may have its own form). */
  readonly prompt?: readonly Message[];
  /** The text to judge. Absent if the row has none. */
  readonly response?: string;
  /** Input of `Domain.parse`: every column of the row, with the native ones of its domain added or replaced. */
  readonly fields: UnknownRecord;
}

/**
 * Finds the domain, id, prompt, response and native columns of a row.
 *
 * ```ts
 * normalizeRow({ data_source: 'openai/gsm8k', reward_model: { ground_truth: '18' }, solution_str: '18' });
 * // { domain: 'math', response: '18', fields: { ..., answer: '18' } }
 * ```
 * `fields` has `domain`, `id`, `prompt` and `response` too; for math `answer` and `question`; for code `language`,
 * `tests`, `setup` and `prefix`.
 * @throws {TaskError} naming the field, the problem and the value received
 */
export function normalizeRow(raw: unknown, options: NormalizeOptions = {}): NormalizedRow {
  if (!isRecord(raw)) throw new TaskError('row', 'expected an object', raw);
  try {
    return readRow(raw, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TaskError('row', 'is nested too deeply', raw); // stack overflow
  }
}

function readRow(raw: UnknownRecord, options: NormalizeOptions): NormalizedRow {
  const domain = inferDomain(raw, options.domain, options.labels);
  const native = domainFields(raw, domain);
  const id = readId(raw);
  const response = readResponse(raw);
  const found = findPrompt(raw);
  const common = {
    ...(id === undefined ? {} : { id }),
    ...(response === undefined ? {} : { response }),
  };
  const fields = {
    ...raw,
    ...native,
    ...common,
    ...(found === undefined ? {} : { prompt: found }),
    domain,
  };
  const prompt = toMessages(fields.prompt);
  return { domain, ...common, ...(prompt === undefined ? {} : { prompt }), fields };
}

function domainFields(row: UnknownRecord, domain: string): UnknownRecord {
  if (domain === 'math') return mathFields(row);
  return domain === 'code' ? codeFields(row) : pluginFields(row);
}

/** Columns for a plug-in: the contents of container columns at the top level, and `reward_model.ground_truth` by its name. */
function pluginFields(row: UnknownRecord): UnknownRecord {
  const holders = [container(row, 'info'), container(row, 'verification_info')];
  const nested = references(row).map(({ value }) => fromJsonText(value));
  const inside = [...nested, ...holders].filter(isRecord);
  const spread: UnknownRecord = Object.assign({}, ...inside.toReversed());
  const truth = container(row, 'reward_model')?.ground_truth;
  const named = isBlank(truth) || !isBlank(row.ground_truth) ? {} : { ground_truth: truth };
  return { ...spread, ...named, ...row };
}
