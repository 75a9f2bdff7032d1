/**
 * Rows of data sets to math tasks: `answer`, `ground_truth` or `solution`, the prompt as text or messages, options.
 * verl's columns (`reward_model.ground_truth`, `extra_info.index`) are read as they are.
 */

import { createHash } from 'node:crypto';
import { type Message, type Task, TaskError } from '../types.ts';
import { type MathOptions, mathOptions, OptionError } from './options.ts';
import type { MathReference } from './verdict.ts';

type Row = Readonly<Record<string, unknown>>;

/** @throws {TaskError} naming the field and the value received. */
export function parseRow(row: unknown, defaults: MathOptions): Task<MathReference> {
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw new TaskError('row', 'must be an object', row);
  const record = row as Row;
  const answer = readAnswerField(record);
  const prompt = readPrompt(record);
  const question = readQuestion(record, prompt);
  const options = readOptions(record, defaults);
  const id = readId(record, answer, question);
  return {
    id,
    domain: 'math',
    prompt,
    reference: { answer, options, ...(question === undefined ? {} : { question }) },
  };
}

const ANSWER_FIELDS = ['answer', 'ground_truth', 'solution'] as const;

function readAnswerField(row: Row): string {
  const model = row.reward_model;
  const nested =
    typeof model === 'object' && model !== null ? (model as Row).ground_truth : undefined;
  const field =
    ANSWER_FIELDS.find((name) => row[name] !== undefined && row[name] !== null) ?? 'answer';
  const value = row[field] ?? nested;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'string')
    throw new TaskError(field, 'must be the right answer as text or a number', value);
  if (value.trim() === '') throw new TaskError(field, 'must not be empty', value);
  return value;
}

function readPrompt(row: Row): readonly Message[] {
  const value = row.prompt ?? row.messages;
  if (Array.isArray(value)) return value.map(readMessage);
  if (typeof value === 'string') return [{ role: 'user', content: value }];
  if (value !== undefined && value !== null)
    throw new TaskError('prompt', 'must be text or a list of messages', value);
  const question = row.question ?? row.problem;
  return typeof question === 'string' ? [{ role: 'user', content: question }] : [];
}

function readMessage(value: unknown, index: number): Message {
  const { role, content } = (typeof value === 'object' && value !== null ? value : {}) as Row;
  if ((role === 'system' || role === 'user' || role === 'assistant') && typeof content === 'string')
    return { role, content };
  throw new TaskError(
    `prompt[${index}]`,
    'must have a role (system, user, assistant) and text as content',
    value,
  );
}

function readQuestion(row: Row, prompt: readonly Message[]): string | undefined {
  const value = row.question ?? row.problem;
  if (value !== undefined && value !== null && typeof value !== 'string')
    throw new TaskError('question', 'must be text', value);
  return typeof value === 'string'
    ? value
    : prompt.findLast((message) => message.role === 'user')?.content;
}

function readOptions(row: Row, defaults: MathOptions): MathOptions {
  try {
    return mathOptions(row.options, defaults);
  } catch (error) {
    if (error instanceof OptionError)
      throw new TaskError(error.field, error.problem, error.received);
    throw error;
  }
}

function readId(row: Row, answer: string, question: string | undefined): string {
  const id = row.id;
  if (typeof id === 'string' && id !== '') return id;
  if (typeof id === 'number') return String(id);
  return `math-${createHash('sha256')
    .update(`${question ?? ''}\0${answer}`)
    .digest('hex')
    .slice(0, 12)}`;
}
