/**
 * Verdicts in the shape that JavaScript evaluation tools expect (autoevals, Braintrust, Mastra): `{name, score, metadata}`.
 * A void verdict has the score null, which these tools leave out of their means.
 */
import { type Attempt, type Domain, isTaskError, type Verdict, voided } from '@cipo/verifier/types';
import { rewardOf } from './binary.ts';
import type { Reward } from './terms/index.ts';

/** A score as `autoevals` defines it. Mutable, because their type is. */
export interface Score {
  /** Name of the scorer. */
  name: string;
  /** In [0, 1] with the default reward. Null: the attempt was not judged. */
  score: number | null;
  /** How the score came about. Includes operator diagnostics, which may name the reference. */
  metadata: Record<string, unknown>;
}

/**
 * Converts one verdict to a score.
 *
 * @param name name of the scorer
 * @param score value for a judged verdict. Default: its binary reward
 * @returns a score of null for a void verdict. The metadata includes operator diagnostics: never show it to the model.
 */
export function toScore(
  name: string,
  verdict: Verdict,
  score: number | undefined = rewardOf(verdict),
): Score {
  if (verdict.kind === 'void') {
    return {
      name,
      score: null,
      metadata: { status: 'void', fault: verdict.fault, detail: verdict.detail },
    };
  }
  const { status, diagnostics, cpuMs, wallMs } = verdict;
  return { name, score: score ?? null, metadata: { status, diagnostics, cpuMs, wallMs } };
}

/** The arguments with which an evaluation tool calls a scorer. */
export interface ScorerArgs {
  /** The response of the model. */
  readonly output: string;
  /** The reference. Optional, because a row may hold it under another name. */
  readonly expected?: string | undefined;
  readonly [key: string]: unknown;
}

/** Options of {@link domainScorer}. */
export interface ScorerOptions<Args extends ScorerArgs> {
  /** Converts a case to a row of the domain. Default: the case itself, with `expected` as `answer`. */
  readonly row?: (args: Args) => unknown;
  /** Name of the scorer. Default: the name of the domain. */
  readonly name?: string;
  /** Composed reward to use instead of the binary one. The values of its terms are added to the metadata. */
  readonly reward?: Reward;
}

/**
 * Creates a scorer for a domain. A case that the domain cannot parse gets the score null and the reason, never 0.
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
  const { name = domain.name, reward, row = defaultRow } = options;
  return async (args) => {
    const attempt: Attempt = { text: args.output, stop: 'end' };
    const verdict = await verifyRow(domain, row(args), attempt);
    const composed = reward?.(attempt, verdict);
    const { metadata, ...score } = toScore(name, verdict, composed?.reward);
    return { ...score, metadata: { ...metadata, ...(composed && { terms: composed.terms }) } };
  };
}

function defaultRow({ output: _, expected, ...rest }: ScorerArgs): unknown {
  return { answer: expected, ...rest };
}

async function verifyRow<R>(domain: Domain<R>, row: unknown, attempt: Attempt): Promise<Verdict> {
  try {
    return await domain.verify(domain.parse(row), attempt);
  } catch (error) {
    if (!isTaskError(error)) throw error;
    return voided('bad-task', error.message);
  }
}
