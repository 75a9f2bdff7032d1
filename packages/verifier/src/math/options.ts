/**
 * The policies of the math domain, each with its default and the reason for it, and their validation.
 */

import { preview } from '../types.ts';

/**
 * Where the answer is looked for. `boxed`: the last box, nothing else (a policy that trains must learn one place).
 * `any`: box, then "the answer is", `####`, last math span, last line. The others: that one place.
 */
export type Extraction =
  | 'boxed'
  | 'any'
  | 'answer-is'
  | 'hash'
  | 'last-line'
  | 'last-math'
  | 'whole'
  | 'choice';

export interface MathOptions {
  readonly extraction: Extraction;
  /** `auto`: 50% is 0.5, and also 50 where the question asks for a percentage. `value`: only 0.5. `either`: both, always. */
  readonly percent: 'auto' | 'value' | 'either';
  /** `accept`: a unit on one side only is no mistake (most references leave it out). `reject`: both or none. */
  readonly missingUnit: 'accept' | 'reject';
  /** Places and significant digits that a correctly rounded decimal must show to stand for an exact reference without a short decimal; 0: never. */
  readonly roundedDigits: number;
  /** `auto`: bare lists and sets in any order, tuples in order. `ordered`: bare lists too. */
  readonly order: 'auto' | 'ordered';
  /** `accept`: `x = 5` and `5` answer each other. `reject`: a relation must be answered by a relation. */
  readonly bareValue: 'accept' | 'reject';
  /** `any`: every equal form. `simplest`: a reduced fraction, no sums or products of literals left, no reducible radical. */
  readonly form: 'any' | 'simplest';
  /** `auto`: sums and products of plain numbers do not answer for a plain number. `accept`: they do. */
  readonly unevaluated: 'auto' | 'accept';
  /** Numbers within these of the reference are right. Only where the task says so; exact otherwise. */
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

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  extraction: ['boxed', 'any', 'answer-is', 'hash', 'last-line', 'last-math', 'whole', 'choice'],
  percent: ['auto', 'value', 'either'],
  missingUnit: ['accept', 'reject'],
  order: ['auto', 'ordered'],
  bareValue: ['accept', 'reject'],
  form: ['any', 'simplest'],
  unevaluated: ['auto', 'accept'],
};

/** An option that is not known or not allowed. `field` is its path, `options.percent`. */
export class OptionError extends Error {
  readonly field: string;
  readonly problem: string;
  readonly received: unknown;
  constructor(field: string, problem: string, received: unknown) {
    super(`${field}: ${problem}, received ${preview(received)}`);
    this.field = field;
    this.problem = problem;
    this.received = received;
  }
}

/** Options over defaults. @throws {OptionError} naming the key, what was received and what is allowed. */
export function mathOptions(given: unknown, defaults: MathOptions = DEFAULTS): MathOptions {
  if (given === undefined || given === null) return defaults;
  if (typeof given !== 'object' || Array.isArray(given))
    throw new OptionError('options', 'must be an object', given);
  for (const [key, value] of Object.entries(given)) checkOption(key, value);
  return { ...defaults, ...given };
}

function checkOption(key: string, value: unknown): void {
  const field = `options.${key}`;
  const allowed = Object.hasOwn(ALLOWED, key) ? ALLOWED[key] : undefined;
  if (allowed) {
    if (!allowed.includes(String(value)))
      throw new OptionError(field, `must be one of ${allowed.join(', ')}`, value);
  } else if (key === 'roundedDigits') {
    if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > 50)
      throw new OptionError(field, 'must be a whole number from 0 to 50', value);
  } else if (key === 'tolerance') checkTolerance(field, value);
  else
    throw new OptionError(
      field,
      `is not an option; there are ${[...Object.keys(ALLOWED), 'roundedDigits', 'tolerance'].join(', ')}`,
      value,
    );
}

function checkTolerance(field: string, value: unknown): void {
  if (typeof value !== 'object' || value === null)
    throw new OptionError(field, 'must be {relative?, absolute?}', value);
  for (const [key, part] of Object.entries(value)) {
    const known = key === 'relative' || key === 'absolute';
    if (!known || typeof part !== 'number' || !(part >= 0) || !Number.isFinite(part)) {
      throw new OptionError(
        `${field}.${key}`,
        'must be a finite number, 0 or more, called relative or absolute',
        part,
      );
    }
  }
}
