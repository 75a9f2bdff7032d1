/** One step of CIPO, top to bottom (docs/design/cipo.md). Everything it calls is a small pure piece or the engine. */

import type { TrainConfig } from '../config.ts';
import { selectAnchors } from '../corrections/anchors.ts';
import { correctionAsk } from '../corrections/prompt.ts';
import { nextReplay, type ReplayState } from '../corrections/replay.ts';
import type { Metrics, SampleRecord } from '../events.ts';
import { hash32, stream } from '../rng.ts';
import { toRecord } from '../run/records.ts';
import type { TaskSource } from '../tasks/source.ts';
import type { Datum, LossSpec, SamplingOptions, ScoringOptions } from '../types.ts';
import { baseAdvantages, correctionAdvantages } from './advantages.ts';
import { toData } from './batch.ts';
import { baseMetrics, correctionMetrics, retention } from './metrics.ts';
import { rewardFor } from './reward.ts';
import { type Group, generatedTokens, passRate, type RolloutParts, rollOut } from './rollout.ts';
import { learningRateAt } from './schedule.ts';

export interface StepResult {
  readonly replay: ReplayState;
  readonly metrics: Metrics;
  readonly samples: readonly SampleRecord[];
  readonly generatedTokens: number;
}

export async function trainStep(
  parts: RolloutParts & { readonly tasks: TaskSource },
  config: TrainConfig,
  step: number,
  replay: ReplayState,
): Promise<StepResult> {
  const { corrections: c, objective: o, optimizer, rollout: r } = config;
  const sampling = (name: string): SamplingOptions => ({
    ...r,
    seed: hash32(`${config.seed} ${name} ${step}`),
  });

  const scored = { ...parts, reward: rewardFor(config) };

  // 1. Base stream: B prompts, G rollouts each, verified.
  const { kept: base, spent } = await baseStream(scored, config, step, sampling);

  // 2. Anchors: attempts of this very step, failures and a share rho of right ones.
  const rng = stream(config.seed, 'anchors', step);
  const anchors = c.enabled ? selectAnchors(base, replay.rho, c, rng) : [];

  // 3. Correction stream: the policy checks and mends its own attempts, G rollouts each.
  const asks = anchors.map((anchor) => correctionAsk(anchor, c.diagnosticsRate, rng));
  const corrected = await rollOut(scored, asks, sampling('correction'));

  // 4. Joint objective J(base) + lambda_c J(correction), one optimizer step.
  const advantages = baseAdvantages(base, { ...o, maxTokens: r.maxTokens });
  const corrections = correctionAdvantages(corrected, { ...c, ...o });
  const shared = { aggregation: o.aggregation, maxTokens: r.maxTokens, keepZero: o.beta > 0 };
  const data = [
    ...toData(base, advantages, { ...shared, share: 1 }),
    ...toData(corrected, corrections, { ...shared, share: c.weight }),
  ];
  const learningRate = learningRateAt(step, config.steps, optimizer);
  const trained = await parts.engine.forwardBackward(
    await withReference(parts, data, o.beta, r),
    lossOf(o),
    r, // scored at the temperature that was sampled at
  );
  const { gradNorm } = await parts.engine.optimStep({ ...optimizer, learningRate });

  // 5. Adaptive replay: rho follows retention.
  const tokens = spent + generatedTokens(corrected);
  return {
    replay: c.enabled ? nextReplay(replay, retention(corrected), c.replay) : replay,
    generatedTokens: tokens,
    metrics: {
      loss: trained.loss,
      ...baseMetrics(base),
      kl: trained.kl,
      clip_ratio: trained.clipRatio,
      grad_norm: gradNorm,
      learning_rate: learningRate,
      'sampling/logprob_gap': trained.logprobGap,
      ...(c.enabled && correctionMetrics(corrected, replay.rho)),
    },
    samples: [...show(step, base, advantages), ...show(step, corrected, corrections)],
  };
}

/** Groups of the base stream. With dynamic sampling (DAPO) groups without signal are replaced, a bounded number of rounds. */
async function baseStream(
  parts: RolloutParts & { readonly tasks: TaskSource },
  { rollout, objective }: TrainConfig,
  step: number,
  sampling: (name: string) => SamplingOptions,
): Promise<{ kept: Group[]; spent: number }> {
  const roll = (round: number, count: number) =>
    rollOut(
      parts,
      parts.tasks.train(step, count, round).map((item) => ({ item, messages: item.task.prompt })),
      sampling(`base ${round}`),
    );
  const first = await roll(0, rollout.prompts);
  let spent = generatedTokens(first);
  let kept = first;
  for (let round = 1; round <= objective.dynamicSamplingRounds; round++) {
    const mixed = kept.filter(hasSignal);
    const missing = rollout.prompts - mixed.length;
    if (missing === 0) break;
    const more = await roll(round, missing);
    spent += generatedTokens(more);
    kept = [...mixed, ...more];
  }
  return { kept, spent };
}

const hasSignal = (group: Group) => {
  const p = passRate(group);
  return p !== undefined && p > 0 && p < 1;
};

function lossOf({ loss, clipLow, clipHigh, beta }: TrainConfig['objective']): LossSpec {
  switch (loss) {
    case 'ppo':
      return { kind: 'ppo', clipLow, clipHigh, beta };
    case 'cispo':
      return { kind: 'cispo', clipHigh };
    case 'importance_sampling':
      return { kind: 'importance_sampling' };
  }
}

/** Adds the reference model's logprobs where the loss has a KL term. */
async function withReference(
  parts: RolloutParts,
  data: readonly Datum[],
  beta: number,
  scoring: ScoringOptions,
): Promise<readonly Datum[]> {
  if (beta === 0 || data.length === 0) return data;
  const logprobs = await parts.engine.logprobs(
    data.map((d) => d.tokens),
    'reference',
    scoring,
  );
  return data.map((d, i) => ({ ...d, refLogprobs: logprobs[i]! }));
}

const SHOWN_GROUPS = 4;

/** A few rollouts to be looked at: the first of some groups, in turn of each kind and of failed and right anchors. */
function show(
  step: number,
  groups: readonly Group[],
  advantages: readonly (readonly number[])[],
): SampleRecord[] {
  const places = groups.map((group, b) => ({ group, b }));
  const sorts = Map.groupBy(places, ({ group }) => `${group.item.kind} ${group.anchor?.passed}`);
  const turns = [...sorts.values()].flatMap((sort) => sort.map((place, turn) => ({ place, turn })));
  const chosen = turns.sort((one, other) => one.turn - other.turn).slice(0, SHOWN_GROUPS);
  return chosen.flatMap(({ place: { group, b } }) => {
    const [first] = group.rollouts;
    return first ? [toRecord(step, group, first, advantages[b]?.[0] ?? 0)] : [];
  });
}
