/** What of a verdict may enter a correction prompt. Hidden tests and the reference never pass this gate. */
import type { Diagnostic, Verdict } from '@cipo/verifier/types';

/** Diagnostics addressed to the policy, at most `limit` of them; none of a void or accepted verdict. */
export function policyDiagnostics(verdict: Verdict, limit = 3): readonly Diagnostic[] {
  if (verdict.kind === 'void' || verdict.passed) return [];
  return verdict.diagnostics.filter((d) => d.audience === 'policy').slice(0, limit);
}
