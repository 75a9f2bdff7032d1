/**
 * The losses of LossSpec as functions of per-token logprobs, over {@link Ops}. The tape computes their gradients.
 * Leaves out: the weights of tokens, which are in the Datum.
 */

import { type Ops, scalar } from '../ops.ts';
import { checkRules, type Rule } from '../rules.ts';
import type { LossSpec } from '../types.ts';

/** All arrays are [N], one entry per token. */
export interface TokenTerms<T> {
  readonly logp: T;
  /** Logprobs of the policy that sampled. */
  readonly old: T;
  readonly advantages: T;
  /** Only read if beta > 0. */
  readonly ref: T;
}

/** Scalars of a LossSpec that may change between steps, [] each. */
export type LossScalars<T> = {
  readonly clipLow: T;
  readonly clipHigh: T;
  readonly beta: T;
};

/** Loss and metrics per token, [N] each. */
export interface TokenLosses<T> {
  readonly loss: T;
  /** 1 if the clip was active. */
  readonly clipped: T;
  /** k3 estimate of KL(policy || reference). */
  readonly kl: T;
}

/** The graph that a LossSpec needs: specs of the same shape differ in scalars only. */
export type LossShape = 'cross_entropy' | 'importance_sampling' | 'ppo' | 'ppo+kl' | 'cispo';

/** The graph that a LossSpec needs. */
export function lossShape(spec: LossSpec): LossShape {
  return spec.kind === 'ppo' && spec.beta > 0 ? 'ppo+kl' : spec.kind;
}

/**
 * The scalars of a LossSpec as numbers; 0 for those that it does not have.
 * @throws EngineError `config` naming the option that is not a number of at least 0
 */
export function lossScalars(spec: LossSpec): LossScalars<number> {
  const scalars = {
    clipLow: spec.kind === 'ppo' ? spec.clipLow : 0,
    clipHigh: spec.kind === 'ppo' || spec.kind === 'cispo' ? spec.clipHigh : 0,
    beta: spec.kind === 'ppo' ? spec.beta : 0,
  };
  const rules = Object.entries(scalars).map(
    ([name, x]): Rule => [
      name,
      x,
      x >= 0 && (name !== 'beta' || x < Infinity),
      'a number of at least 0',
    ],
  );
  checkRules('loss option', rules);
  return scalars;
}

/** Bound of the log-ratio. Beyond e^20 the two policies have nothing in common, and the ratio would overflow. */
const LARGEST_LOG_RATIO = 20;

/** The loss of each token before weighting; formulas at {@link LossSpec}. */
export function tokenLosses<T>(
  ops: Ops<T>,
  shape: LossShape,
  terms: TokenTerms<T>,
  scalars: LossScalars<T>,
): TokenLosses<T> {
  const zero = ops.mul(ops.neg(terms.logp), scalar(ops, 0));
  const plain = (loss: T) => ({ loss, clipped: zero, kl: zero });
  if (shape === 'cross_entropy') return plain(ops.neg(terms.logp));
  const ratio = ratioOf(ops, terms.logp, terms.old);
  if (shape === 'importance_sampling') return plain(ops.neg(ops.mul(ratio, terms.advantages)));
  if (shape === 'cispo') return cispo(ops, terms, ratio, scalars);
  const clipped = ppo(ops, terms, ratio, scalars);
  if (shape === 'ppo') return { ...clipped, kl: zero };
  const kl = k3(ops, terms.logp, terms.ref);
  return { ...clipped, loss: ops.add(clipped.loss, ops.mul(kl, scalars.beta)), kl };
}

/** w = exp(logp - logp_old) */
function ratioOf<T>(ops: Ops<T>, logp: T, old: T): T {
  const bounded = ops.minimum(ops.sub(logp, old), scalar(ops, LARGEST_LOG_RATIO));
  return ops.exp(bounded);
}

/** -min(w A, clip(w, 1 - low, 1 + high) A): Schulman et al. 2017, with DAPO's two bounds. */
function ppo<T>(ops: Ops<T>, terms: TokenTerms<T>, ratio: T, scalars: LossScalars<T>) {
  const one = scalar(ops, 1);
  const low = ops.sub(one, scalars.clipLow);
  const high = ops.add(one, scalars.clipHigh);
  const free = ops.mul(ratio, terms.advantages);
  const held = ops.mul(ops.minimum(ops.maximum(ratio, low), high), terms.advantages);
  const clipped = ops.sub(one, ops.lessEqual(free, held));
  return { loss: ops.neg(ops.minimum(free, held)), clipped };
}

/** -sg(min(w, 1 + high)) A logp: the clip bounds the weight of a token and never drops it (MiniMax-M1). */
function cispo<T>(
  ops: Ops<T>,
  terms: TokenTerms<T>,
  ratio: T,
  scalars: LossScalars<T>,
): TokenLosses<T> {
  const high = ops.add(scalar(ops, 1), scalars.clipHigh);
  const weight = ops.stopGradient(ops.minimum(ratio, high));
  const clipped = ops.sub(scalar(ops, 1), ops.lessEqual(ratio, high));
  const loss = ops.neg(ops.mul(ops.mul(weight, terms.advantages), terms.logp));
  return { loss, clipped, kl: ops.mul(clipped, scalar(ops, 0)) };
}

/** exp(d) - d - 1, d = logp_ref - logp (Schulman, "Approximating KL divergence", estimator k3). */
function k3<T>(ops: Ops<T>, logp: T, ref: T): T {
  const d = ops.minimum(ops.sub(ref, logp), scalar(ops, LARGEST_LOG_RATIO));
  return ops.sub(ops.sub(ops.exp(d), d), scalar(ops, 1));
}
