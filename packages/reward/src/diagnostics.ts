/** Selects what a correction prompt may contain of a verdict. Hidden tests and the reference never pass this filter. */
import { uniqueBy } from '@cipo/support';
import { oneLine, plainCorrection } from '@cipo/verifier/correction';
import type { Attempt, Diagnostic, Domain, Message, Task, Verdict } from '@cipo/verifier/types';

/** Limits on the diagnostics that a policy is shown. */
export interface PolicyDiagnosticsOptions {
  /** Maximum number of diagnostics. Default: 3. */
  readonly limit?: number;
  /** Maximum length of one message, in UTF-16 code units. Default: 400. */
  readonly length?: number;
}

/**
 * The diagnostics of a verdict that are addressed to the policy.
 *
 * @returns at most `limit` diagnostics without duplicates; none for a void or an accepted verdict. Each message is one
 * line without control characters: it may quote the attempt, which must not be able to change the layout of the prompt.
 */
export function policyDiagnostics(
  verdict: Verdict,
  { limit = 3, length = 400 }: PolicyDiagnosticsOptions = {},
): readonly Diagnostic[] {
  if (verdict.kind === 'void' || verdict.passed) return [];
  const shown = verdict.diagnostics
    .filter((diagnostic) => diagnostic.audience === 'policy')
    .map((diagnostic) => ({ ...diagnostic, message: oneLine(diagnostic.message, length) }));
  return uniqueBy(shown, ({ message, at }) => `${at?.line} ${message}`).slice(0, limit);
}

/**
 * The correction prompt for an attempt, in the words of its domain if it has any. It shows the attempt and the
 * diagnostics for the policy, and never says whether the attempt was correct.
 */
export function correctionMessages<R>(
  domain: Domain<R>,
  task: Task<R>,
  attempt: Attempt,
  verdict: Verdict,
  options: PolicyDiagnosticsOptions = {},
): readonly Message[] {
  const diagnostics = policyDiagnostics(verdict, options);
  return (
    domain.correction?.(task, attempt, diagnostics) ?? plainCorrection(task, attempt, diagnostics)
  );
}
