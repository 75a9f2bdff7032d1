/**
 * Rows as people have them, turned into the shape that domains read. Columns of verl, Hugging Face and
 * TRL, prime-rl and verifiers, HumanEval, MBPP, APPS and GSM8K are understood; what is not known stays.
 * The whole table is in `docs/verify.md`. Leaves out: judging, and whether references can be read.
 */
import { TaskError } from '../types.ts';
import { codeFields } from './code.ts';
import { container, idOf, references } from './containers.ts';
import { fromJsonText, isBlank, isRecord, type Row } from './fields.ts';
import { domainOf } from './infer.ts';
import { mathFields } from './math.ts';
import { promptOf, responseOf } from './response.ts';

export { idOf } from './containers.ts';
export { parseJson } from './fields.ts';
export { RESPONSE_FIELDS, responseOf } from './response.ts';

export interface NormalizeOptions {
  /** Domain of rows that name none themselves. Absent: what their columns say, if they are clear. */
  readonly domain?: string | undefined;
  /** Names of plug-in domains that `data_source`, `ability` or `task_type` may say instead of `domain`. */
  readonly labels?: readonly string[];
}

/**
 * ```ts
 * normalizeRow({ data_source: 'openai/gsm8k', reward_model: { ground_truth: '18' }, solution_str: '18' });
 * // { ..., domain: 'math', answer: '18', response: '18' }
 * ```
 * The result has `domain`, and `id`, `prompt`, `response` where the row has them anywhere; for math `answer`
 * and `question`, for code `language`, `tests`, `setup`, `prefix`; and every field of the row that these do not replace.
 * @throws {TaskError} naming the field, the reason and what was received
 */
export function normalizeRow(raw: unknown, options: NormalizeOptions = {}): Row {
  if (!isRecord(raw)) throw new TaskError('row', 'must be an object', raw);
  try {
    return readRow(raw, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TaskError('row', 'is nested too deep', raw); // the stack ran out
  }
}

function readRow(raw: Row, options: NormalizeOptions): Row {
  const domain = domainOf(raw, options.domain, options.labels);
  return { ...raw, ...fieldsOf(raw, domain), ...commonFields(raw), domain };
}

function commonFields(row: Row): Row {
  const found = { id: idOf(row), prompt: promptOf(row), response: responseOf(row) };
  return Object.fromEntries(
    Object.entries(found).filter(
      ([name, value]) => value !== undefined && (name === 'response' || value !== ''),
    ),
  );
}

function fieldsOf(row: Row, domain: string): Row {
  if (domain === 'math') return mathFields(row);
  return domain === 'code' ? codeFields(row) : pluginFields(row);
}

/**
 * A plug-in's row: `reward_model.ground_truth` also as `ground_truth`, and the fields of an object that a
 * trainer's container holds as if the row had them.
 */
function pluginFields(row: Row): Row {
  const holders = [container(row, 'info'), container(row, 'verification_info')];
  const nested = references(row).map(({ value }) => fromJsonText(value));
  const inside = [...nested, ...holders].filter(isRecord);
  const spread = Object.assign({}, ...inside.toReversed()) as Row;
  const truth = container(row, 'reward_model')?.ground_truth;
  const named = isBlank(truth) || !isBlank(row.ground_truth) ? {} : { ground_truth: truth };
  return { ...spread, ...named, ...row };
}
