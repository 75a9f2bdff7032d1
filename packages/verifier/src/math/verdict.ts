/**
 * Makes the verdict on a response, in this process: finds the answer, reads it, compares it, and reports diagnostics.
 * The policy may learn only what could be read; the reference and the comparison are for the operator.
 * Leaves out: time limits and processes (pool.ts), rows (row.ts).
 */
import type { Finding } from '../codes.ts';
import { type Attempt, judged, preview, type Verdict, voided } from '../types.ts';
import { NeedsProbing, type Outcome } from './equal/outcome.ts';
import { type Extracted, extract, extractReference } from './extract.ts';
import { compareReadings, isReadable } from './judge.ts';
import type { MathOptions } from './options.ts';
import { type Reading, readAnswer } from './read/answer.ts';
import { describeNode } from './render.ts';

/** The reference of a math task. */
export interface MathReference {
  /** The correct answer, as LaTeX or plain text. */
  readonly answer: string;
  /** The text of the problem, for the guard against restating it and for percentages. */
  readonly question?: string;
  readonly options: MathOptions;
}

/** References whose readings are kept. */
const MAX_CACHED = 4_096;
/** Longest reference that is read, in UTF-16 code units. */
const MAX_REFERENCE_CHARS = 100_000;
/** Longest text that a diagnostic quotes, in UTF-16 code units. */
const MAX_QUOTED_CHARS = 200;
const cache = new Map<string, Reading>();

/** Reads a reference. Readings are cached, because a task is judged many times. */
export function readReference(answer: string): Reading {
  const known = cache.get(answer);
  if (known) return known;
  const reading = readAnswer(extractReference(answer.slice(0, MAX_REFERENCE_CHARS)));
  if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value!);
  cache.set(answer, reading);
  return reading;
}

/** Empties the cache of references, for benchmarks. */
export function forgetReferences(): void {
  cache.clear();
}

/**
 * The verdict on one response, computed in this process without a time limit. Use {@link MathPool} for untrusted text.
 * No content of the texts makes it throw.
 */
export function verdictOf(reference: MathReference, attempt: Pick<Attempt, 'text'>): Verdict {
  return verifyText(reference, attempt.text, true);
}

/** The verdict on one response, or undefined if it needs expressions evaluated at places: tens of milliseconds. */
export function verdictWithoutProbing(
  reference: MathReference,
  attempt: Pick<Attempt, 'text'>,
): Verdict | undefined {
  try {
    return verifyText(reference, attempt.text, false);
  } catch (error) {
    if (error instanceof NeedsProbing) return undefined;
    throw error;
  }
}

function verifyText(reference: MathReference, text: string, canProbe: boolean): Verdict {
  const started = performance.now();
  const expected = readReference(reference.answer);
  if (!isReadable(expected)) {
    const quoted = preview(expected.text, MAX_QUOTED_CHARS);
    const reason = expected.error?.message ?? 'it is empty';
    return voided('bad-task', `cannot read the reference ${quoted}: ${reason}`);
  }
  const found = extract(text, reference.options.extraction);
  if (!found) return finish(started, 'unreadable_answer', [noAnswer(reference.options)]);
  const given = readAnswer(found.text);
  const where = extractedDiagnostic(found);
  if (!isReadable(given)) return finish(started, 'unreadable_answer', [unreadable(given), where]);
  const outcome = compareReadings(expected, given, { ...reference, canProbe });
  if (outcome.result === 'undecided') {
    const quoted = given.text.slice(0, MAX_QUOTED_CHARS);
    return voided('undecided', `${quoted}: ${outcome.note ?? outcome.stage}`);
  }
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

/** What to say if the place of an extraction is missing. */
const NOT_FOUND: Readonly<Record<MathOptions['extraction'], string>> = {
  boxed: 'no closed, non-empty \\boxed{...} was found',
  any: 'no answer was found',
  'answer-is': 'neither a box nor "the answer is" was found',
  hash: 'no line with #### and an answer was found',
  'last-line': 'no last line was found',
  'last-math': 'no closed math span was found',
  whole: 'the response is empty',
  choice: 'no letter of a choice was found',
};

function noAnswer(options: MathOptions): Finding<'math'> {
  return {
    code: 'no-answer',
    audience: 'policy',
    message: NOT_FOUND[options.extraction],
    details: { extraction: options.extraction },
  };
}

function unreadable(given: Reading): Finding<'math'> {
  const reason = given.error?.message ?? 'nothing could be read';
  return {
    code: 'unreadable-answer',
    audience: 'policy',
    message: `the final answer could not be read: ${reason}`.slice(0, 300),
    details: {
      answer: given.text.slice(0, MAX_QUOTED_CHARS),
      reason: given.error?.code ?? 'empty',
    },
  };
}

/** Where an answer was found. */
const PLACES: Readonly<Record<Extracted['from'], string>> = {
  boxed: '\\boxed{}',
  'answer-is': '"the answer is"',
  hash: 'the line with ####',
  'last-math': 'the last math span',
  'last-line': 'the last line',
  'last-number': 'the last number',
  whole: 'the whole response',
  choice: 'the letter of a choice',
};

function extractedDiagnostic(found: Extracted): Finding<'math'> {
  return {
    code: 'extracted',
    audience: 'operator',
    message: `answer taken from ${PLACES[found.from]}`,
    details: { text: found.text.slice(0, MAX_QUOTED_CHARS), from: found.from, start: found.start },
  };
}

function describeReading(reading: Reading): string {
  if (!reading.wordy && reading.node) return describeNode(reading.node);
  return (reading.words ?? reading.text).slice(0, MAX_QUOTED_CHARS);
}

function comparisonDiagnostic(
  expected: Reading,
  given: Reading,
  outcome: Outcome,
): Finding<'math'> {
  const isEqual = outcome.result === 'equal';
  const note = outcome.note === undefined ? '' : ` (${outcome.note})`;
  return {
    code: isEqual ? 'right-answer' : 'wrong-answer',
    audience: 'operator',
    message: `read as ${describeReading(given)}; the reference is ${describeReading(expected)}${note}`,
    details: {
      stage: outcome.stage,
      ...(outcome.note === undefined ? {} : { note: outcome.note }),
    },
  };
}
