/** Reads the prompt of a row as chat messages. The only reader of prompts: row layer and domains use it. */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { type Message, TaskError } from '../types.ts';
import { firstOf, isTurns } from './fields.ts';

/** The prompt as the row has it, unchecked: `prompt`, or `messages` without the response that they end with. */
export function findPrompt(row: UnknownRecord): unknown {
  if (firstOf(row, ['prompt']) !== undefined) return row.prompt;
  if (!isTurns(row.messages)) return undefined;
  const turns = row.messages;
  return turns.at(-1)?.role === 'assistant' ? turns.slice(0, -1) : turns;
}

/**
 * The prompt as chat messages. Text becomes one message of the user.
 * @param statement the task's text in another column, used if the row has no prompt
 * @returns an empty list if the row has neither
 * @throws {TaskError} naming the part of the prompt that is malformed
 */
export function readPrompt(row: UnknownRecord, statement?: string): readonly Message[] {
  const prompt = findPrompt(row) ?? statement;
  if (prompt === undefined) return [];
  const messages = toMessages(prompt);
  if (messages === undefined) throw malformed(prompt);
  return messages;
}

/** Text or a list of chat turns as messages; undefined for any other value. */
export function toMessages(prompt: unknown): readonly Message[] | undefined {
  if (typeof prompt === 'string') return [{ role: 'user', content: prompt }];
  if (!Array.isArray(prompt) || !prompt.every(isMessage)) return undefined;
  return prompt.map(({ role, content }) => ({ role, content }));
}

function isMessage(value: unknown): value is Message {
  return isRecord(value) && isRole(value.role) && typeof value.content === 'string';
}

function isRole(value: unknown): value is Message['role'] {
  return value === 'system' || value === 'user' || value === 'assistant';
}

function malformed(prompt: unknown): TaskError {
  if (!Array.isArray(prompt)) {
    return new TaskError('prompt', 'expected text or a list of messages', prompt);
  }
  const index = prompt.findIndex((turn) => !isMessage(turn));
  const turn: unknown = prompt[index];
  const field = `prompt.${index}`;
  if (!isRecord(turn)) return new TaskError(field, 'expected a message {role, content}', turn);
  if (isRole(turn.role)) return new TaskError(`${field}.content`, 'expected text', turn.content);
  return new TaskError(`${field}.role`, 'expected system, user or assistant', turn.role);
}
