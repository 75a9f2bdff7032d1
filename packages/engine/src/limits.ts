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

/** The definition of one limit. */
export interface LimitRule {
  /** The value of an engine that is given none. */
  readonly default: number;
  /** The smallest value that is allowed. */
  readonly min: number;
  /** `rows` (tokens) and `sequences` are whole numbers; `bytes` may be any number, also infinite. */
  readonly unit: 'rows' | 'sequences' | 'bytes';
}

/** Default, minimum and unit of each limit. The engine's own check and the configuration of training derive from it. */
export const ENGINE_LIMITS: Readonly<Record<keyof EngineLimits, LimitRule>> = {
  microBatchRows: { default: 2048, min: 16, unit: 'rows' },
  maxSequences: { default: 512, min: 1, unit: 'sequences' },
  cacheBytes: { default: 4096 * 2 ** 20, min: 1, unit: 'bytes' },
  logitsBytes: { default: 64 * 2 ** 20, min: 1, unit: 'bytes' },
  scratchBytes: { default: Number.POSITIVE_INFINITY, min: 1, unit: 'bytes' },
};

/** The limits of an engine that is given none. */
export const ENGINE_DEFAULTS: EngineLimits = {
  microBatchRows: ENGINE_LIMITS.microBatchRows.default,
  maxSequences: ENGINE_LIMITS.maxSequences.default,
  cacheBytes: ENGINE_LIMITS.cacheBytes.default,
  logitsBytes: ENGINE_LIMITS.logitsBytes.default,
  scratchBytes: ENGINE_LIMITS.scratchBytes.default,
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

const LIMIT_NAMES = Object.keys(ENGINE_LIMITS) as (keyof EngineLimits)[];

/**
 * Given limits, completed with {@link ENGINE_DEFAULTS}.
 * @throws EngineError naming the limit, what was expected and the value
 */
export function engineLimits(given: Partial<EngineLimits> = {}): EngineLimits {
  const limits = { ...ENGINE_DEFAULTS };
  for (const name of LIMIT_NAMES) {
    const value = given[name] ?? ENGINE_DEFAULTS[name];
    const { min, unit } = ENGINE_LIMITS[name];
    const isWhole = unit !== 'bytes';
    const isAllowed =
      typeof value === 'number' && value >= min && (!isWhole || Number.isSafeInteger(value));
    if (!isAllowed) {
      const expected = `a ${isWhole ? 'whole number' : 'number'} of at least ${min}`;
      throw new EngineError('config', `engine option ${name}: expected ${expected}, got ${value}`);
    }
    Object.assign(limits, { [name]: value });
  }
  return limits;
}
