/**
 * Verdicts in the shape that JavaScript evaluation tools take (autoevals, Braintrust, Mastra): `{name, score, metadata}`.
 * A void verdict has the score null, which such tools leave out of their means.
 */
import { type Attempt, type Domain, isTaskError, type Verdict, voided } from '@cipo/verifier/types';
import { rewardOf } from './binary.ts';
import type { Reward } from './terms/index.ts';

/** As `autoevals` has it; `score` lies in [0, 1] with the default reward, null is no judgement. */
export interface Score {
  name: string;
  score: number | null;
  metadata: Record<string, unknown>;
}

/** One verdict as a score. `metadata` says how it came about; diagnostics are the operator's too, so keep it from the model. */
export function toScore(
  name: string,
  verdict: Verdict,
  score: number | undefined = rewardOf(verdict),
): Score {
  if (verdict.kind === 'void')
    return {
      name,
      score: null,
      metadata: { status: 'void', fault: verdict.fault, detail: verdict.detail },
    };
  const { status, diagnostics, cpuMs, wallMs } = verdict;
  return { name, score: score ?? null, metadata: { status, diagnostics, cpuMs, wallMs } };
}

/** What an evaluation tool calls a scorer with. */
export interface ScorerArgs {
  readonly output: string;
  readonly expected?: string | undefined;
  readonly [key: string]: unknown;
}

export interface ScorerOptions<Args extends ScorerArgs> {
  /** The row of the domain that the case is. Default: the case itself, `expected` as `answer`. */
  readonly row?: (args: Args) => unknown;
  /** Default: the domain's name. */
  readonly name?: string;
  /** Another reward than right or wrong; its terms are then in the metadata. */
  readonly reward?: Reward;
}

/**
 * A scorer of any domain. A case that is no row of the domain has no score, and says why; it never scores 0.
 *
 * ```ts
 * const scorer = domainScorer(mathDomain());
 * await scorer({ output: 'so \\boxed{0.5}', expected: '\\frac{1}{2}' }); // { name: 'math', score: 1, ... }
 * ```
 */
export function domainScorer<R, Args extends ScorerArgs = ScorerArgs>(
  domain: Domain<R>,
  options: ScorerOptions<Args> = {},
): (args: Args) => Promise<Score> {
  const { name = domain.name, reward, row = asRow } = options;
  return async (args) => {
    const attempt: Attempt = { text: args.output, stop: 'end' };
    const verdict = await judge(domain, row(args), attempt);
    const composed = reward?.(attempt, verdict);
    const { metadata, ...score } = toScore(name, verdict, composed?.reward);
    return { ...score, metadata: { ...metadata, ...(composed && { terms: composed.terms }) } };
  };
}

const asRow = ({ output: _, expected, ...rest }: ScorerArgs) => ({ answer: expected, ...rest });

async function judge<R>(domain: Domain<R>, row: unknown, attempt: Attempt): Promise<Verdict> {
  try {
    return await domain.verify(domain.parse(row), attempt);
  } catch (error) {
    if (!isTaskError(error)) throw error;
    return voided('bad-task', error.message);
  }
}
