/**
 * The correction prompt [O]: it shows the attempt, never the verdict, and only sometimes the diagnostics of a failure.
 */
import { policyDiagnostics } from '@cipo/reward';
import type { Attempt } from '@cipo/verifier/types';
import type { Anchor, RolloutRequest } from '../loop/rollout.ts';
import type { Rng } from '../rng.ts';

const THINK_END = '</think>';

/** The text after the last `</think>`: the conclusion without the reasoning. An unopened tag counts too. */
export function withoutReasoning(text: string): string {
  const end = text.lastIndexOf(THINK_END);
  return end < 0 ? text : text.slice(end + THINK_END.length).trimStart();
}

/**
 * x' = correctionPrompt(x, y, diagnostics). With probability `diagnosticsRate` the prompt of an incorrect anchor
 * carries the diagnostics that the policy may see; a correct anchor has none.
 */
export function correctionRequest(
  anchor: Anchor,
  diagnosticsRate: number,
  rng: Rng,
): RolloutRequest {
  const { item } = anchor.group;
  // Drawn for every anchor, so the verdict of one anchor does not shift the draws of the next.
  const showsDiagnostics = rng.unit() < diagnosticsRate;
  const diagnosticsShown = showsDiagnostics ? policyDiagnostics(anchor.rollout.verdict) : [];
  const attempt: Attempt = {
    ...anchor.rollout.attempt,
    text: withoutReasoning(anchor.rollout.attempt.text),
  };
  return { item, anchor, diagnosticsShown, messages: item.correction(attempt, diagnosticsShown) };
}
