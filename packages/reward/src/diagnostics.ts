/** What of a verdict may enter a correction prompt. Hidden tests and the reference never pass this gate. */
import { oneLine, plainCorrection } from '@cipo/verifier/correction';
import type { Attempt, Diagnostic, Domain, Message, Task, Verdict } from '@cipo/verifier/types';

export interface TellOptions {
  /** Most diagnostics that are told. */
  readonly limit?: number;
  /** Longest message, in UTF-16 code units. */
  readonly length?: number;
}

/**
 * Diagnostics addressed to the policy, at most `limit` of them, none twice; none of a void or accepted verdict. Each
 * message is one line without control characters: it may quote the attempt, which must not write the prompt's layout.
 */
export function policyDiagnostics(
  verdict: Verdict,
  { limit = 3, length = 400 }: TellOptions = {},
): readonly Diagnostic[] {
  if (verdict.kind === 'void' || verdict.passed) return [];
  const told = verdict.diagnostics
    .filter((d) => d.audience === 'policy')
    .map((d) => ({ ...d, message: oneLine(d.message, length) }));
  return withoutRepeats(told).slice(0, limit);
}

function withoutRepeats(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const said = new Set<string>();
  return diagnostics.filter(({ message, at }) => {
    const text = `${at?.line} ${message}`;
    return !said.has(text) && said.add(text);
  });
}

/** The correction prompt of an attempt, in its domain's words: the attempt is shown, the verdict never. */
export function correctionMessages<R>(
  domain: Domain<R>,
  task: Task<R>,
  attempt: Attempt,
  verdict: Verdict,
  options: TellOptions = {},
): readonly Message[] {
  const told = policyDiagnostics(verdict, options);
  return domain.correction?.(task, attempt, told) ?? plainCorrection(task, attempt, told);
}
