/**
 * From response to verdict, in this process: extract, read, judge, and say what was found as diagnostics.
 * The policy may learn only what could be read; the reference and the result of the comparison are the operator's.
 * Leaves out: time limits and processes (pool.ts), rows (row.ts).
 */

import type { Finding } from '../codes.ts';
import { type Attempt, judged, type Verdict, voided } from '../types.ts';
import type { Outcome } from './equal/outcome.ts';
import { type Extracted, extract, extractReference } from './extract.ts';
import { isReadable, judge } from './judge.ts';
import type { MathOptions } from './options.ts';
import { type Reading, readAnswer } from './read/answer.ts';
import { describe } from './render.ts';

/** What is needed to judge an answer. */
export interface MathReference {
  readonly answer: string;
  /** The problem, for the guards against restating it. */
  readonly question?: string;
  readonly options: MathOptions;
}

const MAX_CACHED = 4_096;
const cache = new Map<string, Reading>();

/** The reading of a reference, kept: a task is judged many times. */
export function readReference(answer: string): Reading {
  const known = cache.get(answer);
  if (known) return known;
  const reading = readAnswer(extractReference(answer.slice(0, 100_000)));
  if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value!);
  cache.set(answer, reading);
  return reading;
}

/** Empties the cache of references; for benchmarks. */
export const forgetReferences = (): void => cache.clear();

/** The verdict on one response. Never throws on what either text contains. */
export function verdictOf(reference: MathReference, attempt: Pick<Attempt, 'text'>): Verdict {
  const started = performance.now();
  const expected = readReference(reference.answer);
  if (!isReadable(expected))
    return voided(
      'bad-task',
      `cannot read the reference ${JSON.stringify(expected.text.slice(0, 200))}: ${expected.error?.message ?? 'it is empty'}`,
    );
  const found = extract(attempt.text, reference.options.extraction);
  if (!found) return finish(started, 'unreadable_answer', [noAnswer(reference.options)]);
  const given = readAnswer(found.text);
  const where = extractedDiagnostic(found);
  if (!isReadable(given)) return finish(started, 'unreadable_answer', [unreadable(given), where]);
  const outcome = judge(expected, given, reference.options, reference.question);
  if (outcome.result === 'undecided')
    return voided('undecided', `${given.text.slice(0, 200)}: ${outcome.note ?? outcome.stage}`);
  const comparison = comparisonDiagnostic(expected, given, outcome);
  return finish(started, outcome.result === 'equal' ? 'accepted' : 'wrong_answer', [
    where,
    comparison,
  ]);
}

function finish(
  started: number,
  status: 'accepted' | 'wrong_answer' | 'unreadable_answer',
  diagnostics: readonly Finding<'math'>[],
): Verdict {
  const ms = performance.now() - started;
  return judged(status, diagnostics, { cpuMs: ms, wallMs: ms });
}

const PLACE_WORDS: Readonly<Record<MathOptions['extraction'], string>> = {
  boxed: 'no closed, non-empty \\boxed{...} was found',
  any: 'no answer was found',
  'answer-is': 'neither a box nor "the answer is" was found',
  hash: 'no line with #### and an answer was found',
  'last-line': 'there is no last line',
  'last-math': 'no closed math span was found',
  whole: 'the response is empty',
  choice: 'no letter of a choice was found',
};

function noAnswer(options: MathOptions): Finding<'math'> {
  return {
    code: 'no-answer',
    audience: 'policy',
    message: PLACE_WORDS[options.extraction],
    details: { extraction: options.extraction },
  };
}

function unreadable(given: Reading): Finding<'math'> {
  const reason = given.error?.message ?? 'nothing could be read';
  return {
    code: 'unreadable-answer',
    audience: 'policy',
    message: `the final answer could not be read: ${reason}`.slice(0, 300),
    details: { answer: given.text.slice(0, 200), reason: given.error?.code ?? 'empty' },
  };
}

function extractedDiagnostic(found: Extracted): Finding<'math'> {
  return {
    code: 'extracted',
    audience: 'operator',
    message: `answer taken from ${found.from}`,
    details: { text: found.text.slice(0, 200), from: found.from, start: found.start },
  };
}

const shown = (reading: Reading): string => {
  if (reading.wordy || !reading.node) return reading.words ?? reading.text.slice(0, 120);
  return describe(reading.node);
};

function comparisonDiagnostic(
  expected: Reading,
  given: Reading,
  outcome: Outcome,
): Finding<'math'> {
  const right = outcome.result === 'equal';
  const note = outcome.note === undefined ? '' : ` (${outcome.note})`;
  return {
    code: right ? 'right-answer' : 'wrong-answer',
    audience: 'operator',
    message: `read as ${shown(given)}; expected ${shown(expected)}${note}`,
    details: {
      stage: outcome.stage,
      ...(outcome.note === undefined ? {} : { note: outcome.note }),
    },
  };
}
