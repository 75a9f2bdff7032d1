/** The correction prompt [O]: the attempt is shown, the verdict never, diagnostics of a failure only sometimes. */
import { policyDiagnostics } from '@cipo/reward';
import type { Attempt } from '@cipo/verifier/types';
import type { Anchor, Ask } from '../loop/rollout.ts';
import type { Rng } from '../rng.ts';

/** What the policy concluded, without the reasoning inside think tags (an unclosed one hides all before its end). */
export function withoutReasoning(text: string): string {
  const end = text.lastIndexOf('</think>');
  return end < 0 ? text : text.slice(end + '</think>'.length).trimStart();
}

/**
 * x' = correctionPrompt(x, y, diagnostics). A failed anchor carries what the verifier may tell the policy
 * with probability `diagnosticsRate`; a correct one has nothing to carry.
 */
export function correctionAsk(anchor: Anchor, diagnosticsRate: number, rng: Rng): Ask {
  const { item } = anchor.group;
  // Drawn for every anchor, so that one anchor's verdict does not shift the draws of the next.
  const tell = rng.unit() < diagnosticsRate;
  const shown = tell ? policyDiagnostics(anchor.rollout.verdict) : [];
  const attempt: Attempt = {
    ...anchor.rollout.attempt,
    text: withoutReasoning(anchor.rollout.attempt.text),
  };
  return { item, anchor, shown, messages: item.correction(attempt, shown) };
}
