/**
 * Which attempts of this step are shown back to the policy (docs/design/cipo.md, step 2).
 * Idea [P], formula [A]; caps, skips and shrinking [O].
 */
import type { TrainConfig } from '../config.ts';
import { type Anchor, type Group, passRate, type Rollout } from '../loop/rollout.ts';
import type { Rng } from '../rng.ts';

type AnchorOptions = Pick<
  TrainConfig['corrections'],
  'anchorRatio' | 'anchorsPerPrompt' | 'preferredPassRate' | 'fillWithCorrect'
>;

/** Nothing can be diagnosed in an empty or truncated attempt, and an unjudged one has no side to be on. */
const usable = (r: Rollout) =>
  r.reward !== undefined && r.attempt.stop === 'end' && r.attempt.text.trim() !== '';

/** Candidates, those of prompts with a preferred pass rate first, each part shuffled. */
function candidates(
  groups: readonly Group[],
  [low, high]: readonly [number, number],
  rng: Rng,
): Anchor[] {
  const all = groups.flatMap((group) =>
    group.rollouts
      .filter(usable)
      .map((rollout) => ({ group, rollout, passed: rollout.reward === 1 })),
  );
  const preferred = (a: Anchor) => {
    const p = passRate(a.group);
    return p !== undefined && p >= low && p <= high;
  };
  return [...rng.shuffle(all.filter(preferred)), ...rng.shuffle(all.filter((a) => !preferred(a)))];
}

/**
 * T = max(1, floor(phi * B)) anchors: min(#correct, floor(rho * T)) correct ones, then failures up to T.
 * Where failures run out the stream shrinks and keeps its share rho, unless `fillWithCorrect`.
 */
export function selectAnchors(
  groups: readonly Group[],
  rho: number,
  options: AnchorOptions,
  rng: Rng,
): Anchor[] {
  const total = Math.max(1, Math.floor(options.anchorRatio * groups.length));
  const cap = options.anchorsPerPrompt || Number.POSITIVE_INFINITY;
  const pool = candidates(groups, options.preferredPassRate, rng);
  const used = new Map<Group, number>();
  const take = (passed: boolean, most: number): Anchor[] => {
    const taken: Anchor[] = [];
    for (const anchor of pool) {
      const n = used.get(anchor.group) ?? 0;
      if (taken.length >= most || anchor.passed !== passed || n >= cap) continue;
      used.set(anchor.group, n + 1);
      taken.push(anchor);
    }
    return taken;
  };
  const correct = take(true, Math.floor(rho * total));
  const failed = take(false, total - correct.length);
  const missing = total - correct.length - failed.length;
  if (missing === 0) return [...correct, ...failed];
  if (options.fillWithCorrect) return [...correct, ...failed, ...take(true, missing)];
  return [...correct.slice(0, Math.floor((rho / (1 - rho)) * failed.length)), ...failed];
}
