/** Checks numbers that callers give. */

import { EngineError } from './errors.ts';

/** A number with its name, whether it is valid, and what is allowed. */
export type Rule = readonly [name: string, value: number, isRight: boolean, allowed: string];

/** Whether x is a whole number of at least `least`. */
export function isWhole(x: number, least: number): boolean {
  return Number.isSafeInteger(x) && x >= least;
}

/** @throws EngineError `config` naming the option, its value and what is allowed */
export function checkRules(what: string, rules: readonly Rule[]): void {
  for (const [name, value, isRight, allowed] of rules)
    if (!isRight || typeof value !== 'number')
      throw new EngineError('config', `${what} ${name}: expected ${allowed}, got ${value}`);
}
