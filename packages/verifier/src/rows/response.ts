/**
 * Where a row keeps what the policy answered, and its prompt without that answer.
 * Leaves out: whether there must be a response (who judges asks for one, who trains does not).
 */
import { TaskError } from '../types.ts';
import { firstOf, isRecord, own, type Row, single } from './fields.ts';

/** Names of the response, the native one first. */
export const RESPONSE_FIELDS = [
  'response',
  'completion',
  'completions',
  'solution_str',
  'output',
] as const;

/**
 * The answer as text: a string, a list of one, or turns whose last one is the assistant's.
 * An empty response is one, and wrong. Undefined where the row has none.
 * @throws {TaskError} where several fields hold different answers, or one holds several
 */
export function responseOf(row: Row): string | undefined {
  const present = RESPONSE_FIELDS.filter((name) => {
    const value = own(row, name);
    return value !== undefined && value !== null;
  });
  if (present[0] === 'response') return textOf(row.response, 'response');
  const texts = present.map((name) => textOf(row[name], name));
  if (new Set(texts).size > 1) {
    throw new TaskError('response', `is not clear: ${present.join(' and ')} differ`, texts);
  }
  return texts[0] ?? lastAnswer(row.messages);
}

function textOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  if (isTurns(value)) {
    const last = value.at(-1);
    if (last?.role === 'assistant' || value.length === 1) return contentOf(last, field);
    throw new TaskError(field, 'must end with an assistant turn', value);
  }
  const one = single(value, field, 'answers');
  if (one !== value) return textOf(one, field);
  if (isRecord(value) && 'content' in value) return contentOf(value, field);
  throw new TaskError(field, 'must be text, or chat turns that end with the answer', value);
}

function contentOf(turn: Row | undefined, field: string): string {
  const content = turn?.content;
  if (typeof content === 'string') return content;
  throw new TaskError(`${field}.content`, 'must be text', content);
}

function isTurns(value: unknown): value is readonly Row[] {
  return Array.isArray(value) && value.length > 0 && value.every((v) => isRecord(v) && 'role' in v);
}

function lastAnswer(messages: unknown): string | undefined {
  if (!isTurns(messages)) return undefined;
  const last = messages.at(-1);
  return last?.role === 'assistant' ? contentOf(last, 'messages') : undefined;
}

/** The prompt, text or turns; `messages` without the answer they end with. Undefined where there is none. */
export function promptOf(row: Row): unknown {
  if (firstOf(row, ['prompt']) !== undefined) return row.prompt;
  if (!isTurns(row.messages)) return undefined;
  const turns = row.messages;
  return turns.at(-1)?.role === 'assistant' ? turns.slice(0, -1) : turns;
}
