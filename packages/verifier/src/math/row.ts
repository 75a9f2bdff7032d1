/**
 * Parses a row into a math task. Reads the reference, the prompt, the question and `options`, in every column that the
 * row layer (`../rows`) knows.
 */
import { createHash } from 'node:crypto';
import { isRecord, type UnknownRecord } from '@cipo/support';
import { readId } from '../rows/id.ts';
import { findQuestion, findReference } from '../rows/math.ts';
import { readPrompt } from '../rows/prompt.ts';
import { type Task, TaskError } from '../types.ts';
import { type MathOptions, mathOptions } from './options.ts';
import type { MathReference } from './verdict.ts';

/** @throws {TaskError} naming the field and the value received */
export function parseMathTask(row: unknown, defaults: MathOptions): Task<MathReference> {
  if (!isRecord(row)) throw new TaskError('row', 'expected an object', row);
  const answer = readReferenceText(row);
  const stated = readQuestion(row);
  const prompt = readPrompt(row, stated);
  const question = stated ?? prompt.findLast((message) => message.role === 'user')?.content;
  return {
    id: readId(row) ?? contentId(answer, question),
    domain: 'math',
    prompt,
    reference: {
      answer,
      options: mathOptions(row.options, defaults),
      ...(question === undefined ? {} : { question }),
    },
  };
}

function readReferenceText(row: UnknownRecord): string {
  const { field, value } = findReference(row);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return value;
  throw new TaskError(field, 'expected the reference as text or a number', value);
}

function readQuestion(row: UnknownRecord): string | undefined {
  const value = findQuestion(row);
  if (value === undefined || typeof value === 'string') return value;
  throw new TaskError('question', 'expected text', value);
}

/** An id for rows without one: the same question and reference give the same id. */
function contentId(answer: string, question: string | undefined): string {
  const hash = createHash('sha256').update(`${question ?? ''}\0${answer}`);
  return `math-${hash.digest('hex').slice(0, 12)}`;
}
