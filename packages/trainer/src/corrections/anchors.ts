/**
 * Selects the attempts of this step that correction prompts show to the policy (docs/design/cipo.md, step 2).
 * Idea [P], formula [A]; cap per prompt, skipped attempts and shrinking [O].
 */
import type { TrainConfig } from '../config.ts';
import { type Anchor, type Group, passRate, type Rollout } from '../loop/rollout.ts';
import type { Rng } from '../rng.ts';

type AnchorOptions = Pick<
  TrainConfig['corrections'],
  'anchorRatio' | 'anchorsPerPrompt' | 'preferredPassRate' | 'fillWithCorrect'
>;

/**
 * T = max(1, floor(phi * B)) anchors: min(#correct, floor(rho * T)) correct ones, then incorrect ones up to T.
 * If there are too few incorrect attempts, the stream shrinks and keeps its share rho, unless `fillWithCorrect`.
 */
export function selectAnchors(
  groups: readonly Group[],
  rho: number,
  options: AnchorOptions,
  rng: Rng,
): Anchor[] {
  const total = Math.max(1, Math.floor(options.anchorRatio * groups.length));
  const cap = options.anchorsPerPrompt || Number.POSITIVE_INFINITY;
  const candidates = orderedCandidates(groups, options.preferredPassRate, rng);
  const taken = new Map<Group, number>();
  const take = (passed: boolean, count: number): Anchor[] => {
    const anchors: Anchor[] = [];
    for (const anchor of candidates) {
      const fromGroup = taken.get(anchor.group) ?? 0;
      if (anchors.length >= count || anchor.passed !== passed || fromGroup >= cap) continue;
      taken.set(anchor.group, fromGroup + 1);
      anchors.push(anchor);
    }
    return anchors;
  };
  const correct = take(true, Math.floor(rho * total));
  const incorrect = take(false, total - correct.length);
  const missing = total - correct.length - incorrect.length;
  if (missing === 0) return [...correct, ...incorrect];
  if (options.fillWithCorrect) return [...correct, ...incorrect, ...take(true, missing)];
  return [...correct.slice(0, Math.floor((rho / (1 - rho)) * incorrect.length)), ...incorrect];
}

/** The usable attempts: first those of prompts with a preferred pass rate, then the others, each part shuffled. */
function orderedCandidates(
  groups: readonly Group[],
  [low, high]: readonly [number, number],
  rng: Rng,
): Anchor[] {
  const all = groups.flatMap((group) =>
    group.rollouts
      .filter(isUsable)
      .map((rollout) => ({ group, rollout, passed: rollout.correctness === 1 })),
  );
  const isPreferred = ({ group }: Anchor) => {
    const rate = passRate([group]);
    return rate !== undefined && rate >= low && rate <= high;
  };
  const preferred = all.filter(isPreferred);
  const others = all.filter((anchor) => !isPreferred(anchor));
  return [...rng.shuffle(preferred), ...rng.shuffle(others)];
}

/** Judged, complete and not empty: an empty or truncated attempt has nothing to diagnose. */
function isUsable({ correctness, attempt }: Rollout): boolean {
  return correctness !== undefined && attempt.stop === 'end' && attempt.text.trim() !== '';
}
