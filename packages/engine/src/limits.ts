/**
 * @packageDocumentation Limits and defaults of the engine, for everything that configures one. Memory is counted in
 * bytes. It imports no executor, so a configuration can be read without an engine.
 */

import { EngineError } from './errors.ts';

/** How much an engine computes and keeps at once. Larger limits are faster and need more memory. */
export interface EngineLimits {
  /** Rows (tokens) of one training or scoring micro-batch. */
  readonly microBatchRows: number;
  /** Maximum number of sequences that are generated at once. */
  readonly maxSequences: number;
  /** Maximum bytes of the key/value caches while sampling; if they would not fit, fewer sequences run at once. */
  readonly cacheBytes: number;
  /** Maximum bytes of logits held at once in training and scoring; rows are processed in chunks. */
  readonly logitsBytes: number;
  /** Maximum bytes of scratch memory that compiled programs keep between runs; one program is always kept. */
  readonly scratchBytes: number;
}

/** The limits of an engine that is given none. */
export const ENGINE_DEFAULTS: EngineLimits = {
  microBatchRows: 2048,
  maxSequences: 512,
  cacheBytes: 4096 * 2 ** 20,
  logitsBytes: 64 * 2 ** 20,
  scratchBytes: Number.POSITIVE_INFINITY,
};

/**
 * Default AdamW coefficients. `beta2` is 0.99 instead of PyTorch's 0.999: a run of reinforcement learning has some
 * hundred steps, fewer than the thousand that 0.999 averages over.
 */
export const ADAMW_DEFAULTS = {
  beta1: 0.9,
  beta2: 0.99,
  eps: 1e-8,
  weightDecay: 0,
} as const;

type Bound = readonly [isAllowed: (value: number) => boolean, allowed: string];

const COUNT: Bound = [(n) => Number.isSafeInteger(n) && n >= 1, 'a whole number of at least 1'];
const BYTES: Bound = [(n) => n > 0, 'a number above 0'];

const BOUNDS: Readonly<Record<keyof EngineLimits, Bound>> = {
  microBatchRows: COUNT,
  maxSequences: COUNT,
  cacheBytes: BYTES,
  logitsBytes: BYTES,
  scratchBytes: BYTES,
};

const LIMIT_NAMES = Object.keys(BOUNDS) as (keyof EngineLimits)[];

/**
 * Given limits, completed with {@link ENGINE_DEFAULTS}.
 * @throws EngineError naming the limit, what was expected and the value
 */
export function engineLimits(given: Partial<EngineLimits> = {}): EngineLimits {
  const limits = { ...ENGINE_DEFAULTS };
  for (const name of LIMIT_NAMES) {
    const value = given[name] ?? ENGINE_DEFAULTS[name];
    const [isAllowed, allowed] = BOUNDS[name];
    if (typeof value !== 'number' || !isAllowed(value)) {
      throw new EngineError('config', `engine option ${name}: expected ${allowed}, got ${value}`);
    }
    Object.assign(limits, { [name]: value });
  }
  return limits;
}
