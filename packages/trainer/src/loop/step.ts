/**
 * One step of CIPO, top to bottom (docs/design/cipo.md). Everything it calls is a small pure function or the engine.
 */
import type { TrainConfig } from '../config.ts';
import { selectAnchors } from '../corrections/anchors.ts';
import { correctionRequest } from '../corrections/prompt.ts';
import { nextReplay, type ReplayState } from '../corrections/replay.ts';
import type { Metrics, SampleRecord } from '../events.ts';
import { createRng, hashText } from '../rng.ts';
import { sampleRecords } from '../run/records.ts';
import type { TaskSource } from '../tasks/source.ts';
import type { Datum, LossSpec, PolicyEngine, SamplingOptions, ScoringOptions } from '../types.ts';
import { baseAdvantages, correctionAdvantages } from './advantages.ts';
import { toData } from './batch.ts';
import { baseMetrics, correctionMetrics, retention } from './metrics.ts';
import { rewardFor } from './reward.ts';
import { countTokens, type Group, passRate, type RolloutParts, rollOut } from './rollout.ts';
import { learningRateAt } from './schedule.ts';

/** What {@link trainStep} needs besides the configuration. A {@link Policy} with `tasks` is one. */
export interface StepParts extends Omit<RolloutParts, 'reward'> {
  /** Gives the prompts of the base stream. */
  readonly tasks: TaskSource;
}

/** The outcome of one training step. */
export interface StepResult {
  /** State of adaptive replay for the next step. */
  readonly replay: ReplayState;
  /** Metrics of this step by name: docs/reference/metrics.md. */
  readonly metrics: Metrics;
  /** A few rollouts of both streams, for people to read. */
  readonly samples: readonly SampleRecord[];
  /** Tokens sampled in this step, both streams and discarded groups included. */
  readonly generatedTokens: number;
}

/**
 * Runs one training step: samples and verifies a batch of attempts, then corrections of some of them, and makes one
 * optimizer update from both. Changes the weights in `parts.engine`; everything random depends on
 * `(config.seed, step)` alone.
 *
 * @param step 1-based number of the step
 * @param replay state that the previous step returned; {@link startReplay} for the first step
 * @throws if a task's prompt does not fit the model, or the engine fails; the engine may then hold a part of a gradient
 */
export async function trainStep(
  parts: StepParts,
  config: TrainConfig,
  step: number,
  replay: ReplayState,
): Promise<StepResult> {
  const { rollout, corrections, objective } = config;
  const { maxTokens } = rollout;
  const { aggregation, normalizeByStd, overlongBuffer, beta } = objective;
  const { riskMode, riskPenalty } = corrections;
  const rewardedParts = { ...parts, reward: rewardFor(config) };

  // 1. Base stream: B prompts, G rollouts each, verified.
  const base = await sampleBaseStream(rewardedParts, config, step);

  // 2. Anchors: attempts of this step, incorrect ones and a share rho of correct ones.
  const rng = createRng(config.seed, 'anchors', step);
  const anchors = corrections.enabled
    ? selectAnchors(base.groups, replay.rho, corrections, rng)
    : [];

  // 3. Correction stream: the policy checks and corrects its own attempts, G rollouts each.
  const requests = anchors.map((anchor) =>
    correctionRequest(anchor, corrections.diagnosticsRate, rng),
  );
  const corrected = await rollOut(
    rewardedParts,
    requests,
    samplingOptions(config, 'correction', step),
  );

  // 4. Joint objective J(base) + lambda_c J(correction), one optimizer step.
  const advantages = {
    base: baseAdvantages(base.groups, { normalizeByStd, maxTokens, overlongBuffer }),
    corrected: correctionAdvantages(corrected, { riskMode, riskPenalty, normalizeByStd }),
  };
  const batch = { aggregation, maxTokens, keepZeroAdvantages: beta > 0 };
  const data = [
    ...toData(base.groups, advantages.base, { ...batch, streamWeight: 1 }),
    ...toData(corrected, advantages.corrected, { ...batch, streamWeight: corrections.weight }),
  ];
  const { loss, ...updateMetrics } = await updatePolicy(parts.engine, data, config, step);

  // 5. Adaptive replay: rho follows retention.
  return {
    replay: corrections.enabled
      ? nextReplay(replay, retention(corrected), corrections.replay)
      : replay,
    generatedTokens: base.generatedTokens + countTokens(corrected),
    metrics: {
      loss,
      ...baseMetrics(base.groups),
      ...updateMetrics,
      ...(corrections.enabled && correctionMetrics(corrected, replay.rho)),
    },
    samples: [
      ...sampleRecords(step, base.groups, advantages.base),
      ...sampleRecords(step, corrected, advantages.corrected),
    ],
  };
}

/** How the rollouts of one purpose are sampled; the seed depends on the run's seed, the purpose and the step. */
function samplingOptions(
  { rollout, seed }: TrainConfig,
  purpose: string,
  step: number,
): SamplingOptions {
  const { groupSize, maxTokens, temperature, topK, topP, minP, stopStrings } = rollout;
  const random = hashText(`${seed} ${purpose} ${step}`);
  return { groupSize, maxTokens, temperature, topK, topP, minP, stopStrings, seed: random };
}

/**
 * Groups of the base stream. Dynamic sampling (DAPO) replaces groups without signal, for a limited number of rounds.
 * @returns the groups to train on, and the tokens generated for these and the replaced ones
 */
async function sampleBaseStream(
  parts: StepParts & RolloutParts,
  config: TrainConfig,
  step: number,
): Promise<{ readonly groups: Group[]; readonly generatedTokens: number }> {
  const { prompts } = config.rollout;
  const sampleRound = (round: number, count: number) =>
    rollOut(
      parts,
      parts.tasks.train(step, count, round).map((item) => ({ item, messages: item.task.prompt })),
      samplingOptions(config, `base ${round}`, step),
    );
  let groups = await sampleRound(0, prompts);
  let generatedTokens = countTokens(groups);
  for (let round = 1; round <= config.objective.dynamicSamplingRounds; round++) {
    const withSignal = groups.filter(hasSignal);
    const missing = prompts - withSignal.length;
    if (missing === 0) break;
    const refill = await sampleRound(round, missing);
    generatedTokens += countTokens(refill);
    groups = [...withSignal, ...refill];
  }
  return { groups, generatedTokens };
}

/** Whether a group has both correct and incorrect rollouts. */
function hasSignal(group: Group): boolean {
  const rate = passRate([group]);
  return rate !== undefined && rate > 0 && rate < 1;
}

/** One optimizer step on the data of both streams. @returns the metrics of the update */
async function updatePolicy(
  engine: PolicyEngine,
  data: readonly Datum[],
  { rollout, objective, optimizer, steps }: TrainConfig,
  step: number,
) {
  // The temperature of sampling: the sampler and the trainer then give a token the same logprob.
  const scoring = { temperature: rollout.temperature };
  const scoredData = objective.beta > 0 ? await addReferenceLogprobs(engine, data, scoring) : data;
  const { loss, kl, clipRatio, logprobGap } = await engine.forwardBackward(
    scoredData,
    lossSpec(objective),
    scoring,
  );
  const { beta1, beta2, weightDecay, maxGradNorm } = optimizer;
  const learningRate = learningRateAt(step, steps, optimizer);
  const adamw = { learningRate, beta1, beta2, weightDecay, maxGradNorm };
  const { gradNorm } = await engine.optimStep(adamw);
  return {
    loss,
    kl,
    clip_ratio: clipRatio,
    grad_norm: gradNorm,
    learning_rate: learningRate,
    'sampling/logprob_gap': logprobGap,
  };
}

function lossSpec({ loss, clipLow, clipHigh, beta }: TrainConfig['objective']): LossSpec {
  switch (loss) {
    case 'ppo':
      return { kind: 'ppo', clipLow, clipHigh, beta };
    case 'cispo':
      return { kind: 'cispo', clipHigh };
    case 'importance_sampling':
      return { kind: 'importance_sampling' };
  }
}

/** The data with the reference model's logprobs, which the KL term needs. */
async function addReferenceLogprobs(
  engine: PolicyEngine,
  data: readonly Datum[],
  scoring: ScoringOptions,
): Promise<readonly Datum[]> {
  if (data.length === 0) return data;
  const logprobs = await engine.logprobs(
    data.map(({ tokens }) => tokens),
    'reference',
    scoring,
  );
  return data.map((datum, i) => ({ ...datum, refLogprobs: logprobs[i]! }));
}
