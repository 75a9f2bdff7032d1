/** The options of the math domain, their defaults and their validation. */
import { preview, TaskError } from '../types.ts';

const EXTRACTIONS = [
  'boxed',
  'any',
  'answer-is',
  'hash',
  'last-line',
  'last-math',
  'whole',
  'choice',
] as const;

/**
 * Where the answer is looked for in a response. `boxed`: only the last `\boxed{}`, so that a policy learns one place.
 * `any`: the box, then "the answer is", `####`, the last math span, the last line. Each other value: that place only.
 */
export type Extraction = (typeof EXTRACTIONS)[number];

/** How answers are found and compared. */
export interface MathOptions {
  readonly extraction: Extraction;
  /** `auto`: 50% equals 0.5, and also 50 if the question asks for a percentage. `value`: only 0.5. `either`: both, always. */
  readonly percent: 'auto' | 'value' | 'either';
  /** `accept`: a unit on one side only is ignored, because most references omit it. `reject`: both or none. */
  readonly missingUnit: 'accept' | 'reject';
  /**
   * Decimal places and significant digits that a correctly rounded decimal needs to match an exact reference without a
   * short decimal. 0: rounded decimals never match.
   */
  readonly roundedDigits: number;
  /** `auto`: bare lists and sets in any order, tuples in order. `ordered`: bare lists in order too. */
  readonly order: 'auto' | 'ordered';
  /** `accept`: `x = 5` and `5` match each other. `reject`: a relation needs a relation. */
  readonly bareValue: 'accept' | 'reject';
  /** `any`: every equal form. `simplest`: a reduced fraction, no sum or product of literals, no reducible radical. */
  readonly form: 'any' | 'simplest';
  /** `auto`: unevaluated sums and products of numbers do not match a plain number. `accept`: they do. */
  readonly unevaluated: 'auto' | 'accept';
  /** Numbers within this distance of the reference match. Default: exact comparison. */
  readonly tolerance?: { readonly relative?: number; readonly absolute?: number };
}

export const DEFAULTS: MathOptions = {
  extraction: 'boxed',
  percent: 'auto',
  missingUnit: 'accept',
  roundedDigits: 6,
  order: 'auto',
  bareValue: 'accept',
  form: 'any',
  unevaluated: 'auto',
};

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  extraction: EXTRACTIONS,
  percent: ['auto', 'value', 'either'],
  missingUnit: ['accept', 'reject'],
  order: ['auto', 'ordered'],
  bareValue: ['accept', 'reject'],
  form: ['any', 'simplest'],
  unevaluated: ['auto', 'accept'],
};
const NAMES = [...Object.keys(CHOICES), 'roundedDigits', 'tolerance'];
const MAX_ROUNDED_DIGITS = 50;

/**
 * Checks options and fills in what is missing.
 * @param defaults what is filled in. Default: `boxed` extraction and exact comparison, see {@link MathOptions}
 * @throws {TaskError} naming the option (`options.percent`), the value received and the values allowed
 */
export function mathOptions(given: unknown, defaults: MathOptions = DEFAULTS): MathOptions {
  if (given === undefined || given === null) return defaults;
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new TaskError('options', 'expected an object', given);
  }
  for (const [key, value] of Object.entries(given)) checkOption(key, value);
  return { ...defaults, ...given };
}

function checkOption(key: string, value: unknown): void {
  const field = `options.${key}`;
  const choices = Object.hasOwn(CHOICES, key) ? CHOICES[key] : undefined;
  if (choices) {
    if (choices.includes(String(value))) return;
    throw new TaskError(field, `expected one of ${choices.join(', ')}`, value);
  }
  if (key === 'roundedDigits') checkRoundedDigits(field, value);
  else if (key === 'tolerance') checkTolerance(field, value);
  else throw unknownOption(key, value);
}

function unknownOption(key: string, value: unknown): TaskError {
  const field = `options.${preview(key).slice(1, -1)}`;
  return new TaskError(field, `unknown option; there are ${NAMES.join(', ')}`, value);
}

function checkRoundedDigits(field: string, value: unknown): void {
  const isAllowed = Number.isInteger(value) && Number(value) >= 0;
  if (isAllowed && Number(value) <= MAX_ROUNDED_DIGITS) return;
  throw new TaskError(field, `expected an integer from 0 to ${MAX_ROUNDED_DIGITS}`, value);
}

function checkTolerance(field: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    throw new TaskError(field, 'expected {relative?, absolute?}', value);
  }
  for (const [key, part] of Object.entries(value)) {
    if (key !== 'relative' && key !== 'absolute') {
      throw new TaskError(field, 'expected only the keys relative and absolute', value);
    }
    if (typeof part !== 'number' || !(part >= 0) || !Number.isFinite(part)) {
      throw new TaskError(`${field}.${key}`, 'expected a finite number, 0 or more', part);
    }
  }
}
