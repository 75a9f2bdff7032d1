/**
 * Reads the response of a row. Leaves out: whether a row needs one (judging does, training does not).
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { TaskError } from '../types.ts';
import { isTurns, own, single } from './fields.ts';

/** Columns that can hold the response. The first one is the native name. */
const RESPONSE_FIELDS = [
  'response',
  'completion',
  'completions',
  'solution_str',
  'output',
] as const;

/**
 * The response as text. The column holds text, a list of one, or chat turns that end with the assistant's.
 * An empty response is a response (an incorrect one).
 * @returns undefined if the row has none
 * @throws {TaskError} if two columns differ, or one column holds several responses
 */
export function readResponse(row: UnknownRecord): string | undefined {
  const present = RESPONSE_FIELDS.filter((name) => {
    const value = own(row, name);
    return value !== undefined && value !== null;
  });
  if (present[0] === 'response') return toText(row.response, 'response');
  const texts = present.map((name) => toText(row[name], name));
  if (new Set(texts).size > 1) {
    throw new TaskError('response', `is ambiguous: ${present.join(' and ')} differ`, texts);
  }
  return texts[0] ?? lastResponse(row.messages);
}

function toText(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  if (isTurns(value)) {
    const last = value.at(-1);
    if (last?.role === 'assistant' || value.length === 1) return contentOf(last, field);
    throw new TaskError(field, 'expected the last turn to be the assistant’s', value);
  }
  const one = single(value, field, 'responses');
  if (one !== value) return toText(one, field);
  if (isRecord(value) && 'content' in value) return contentOf(value, field);
  throw new TaskError(field, 'expected text, or chat turns that end with the response', value);
}

function contentOf(turn: UnknownRecord | undefined, field: string): string {
  const content = turn?.content;
  if (typeof content === 'string') return content;
  throw new TaskError(`${field}.content`, 'expected text', content);
}

function lastResponse(messages: unknown): string | undefined {
  if (!isTurns(messages)) return undefined;
  const last = messages.at(-1);
  return last?.role === 'assistant' ? contentOf(last, 'messages') : undefined;
}
