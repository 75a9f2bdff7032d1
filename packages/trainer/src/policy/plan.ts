/** What a run will take of this machine's memory, told before anything is loaded, and refused where it cannot be had. */

import {
  availableMemory,
  type EngineLimits,
  estimateMemory,
  type LoraOptions,
  loraModules,
  type MemoryEstimate,
  type MemoryPlan,
  type ModelConfig,
  memoryAdvice,
} from '@cipo/engine';
import { MIB } from '@cipo/support';
import type { TrainConfig } from '../config.ts';

export interface PlannedMemory {
  readonly plan: MemoryPlan;
  readonly estimate: MemoryEstimate;
  /** Bytes that may be used, set or found. */
  readonly budget: number;
  /** What compiled programs may keep of it. */
  readonly scratchBytes: number;
}

/** @param lora absent where the model's own weights are trained */
export function planMemory(
  model: ModelConfig,
  config: Pick<TrainConfig, 'engine' | 'objective' | 'rollout'>,
  lora: LoraOptions | undefined,
  trains: boolean,
): PlannedMemory {
  const { engine, objective, rollout } = config;
  const limits = limitsOf(engine);
  const planFor = (shapes: number): MemoryPlan => ({
    shapes,
    config: model,
    ...(lora && { adapters: loraModules(model, lora) }),
    trains,
    reference: trains && objective.beta > 0,
    microBatchRows: limits.microBatchRows,
    logitsBytes: limits.logitsBytes,
    recompute: engine.recompute,
    sequences: Math.min(limits.maxSequences, rollout.prompts * rollout.groupSize),
    maxTokens: rollout.maxTokens,
    cacheBytes: limits.cacheBytes,
  });
  const budget = engine.memoryMb > 0 ? engine.memoryMb * MIB : availableMemory();
  // Programs of several shapes are kept where there is room: compiling one again takes seconds.
  const plans = [4, 3, 2, 1].map(planFor);
  const plan = plans.find((each) => estimateMemory(each).total <= budget) ?? plans.at(-1)!;
  const estimate = estimateMemory(plan);
  return { plan, estimate, budget, scratchBytes: estimate.activations + estimate.logits };
}

/** The limits of a configuration, in bytes. */
export function limitsOf(engine: TrainConfig['engine']): Omit<EngineLimits, 'scratchBytes'> {
  const { microBatchRows, maxSequences, cacheMb, logitsMb } = engine;
  return { microBatchRows, maxSequences, cacheBytes: cacheMb * MIB, logitsBytes: logitsMb * MIB };
}

/** @throws where the plan is larger than the budget, with settings that would make it smaller */
export function checkMemory({ plan, estimate, budget }: PlannedMemory, lora: boolean): void {
  if (estimate.total <= budget) return;
  const advice = [
    ...(lora || !plan.trains ? [] : [loraAdvice(plan)]),
    ...memoryAdvice(plan, budget),
  ].map(({ setting, total }) => `  --set ${setting}   ${megabytes(total)}`);
  throw new Error(
    [
      `this run needs about ${megabytes(estimate.total)} of memory, and ${megabytes(budget)} may be used: ${memoryParts(estimate)}.`,
      ...(advice.length > 0 ? ['With one of these lines it would take:', ...advice] : []),
      'Or set engine.memoryMb, if the estimate is wrong for this machine.',
    ].join('\n'),
  );
}

function loraAdvice(plan: MemoryPlan) {
  const adapters = loraModules(plan.config, { rank: 16, alpha: 32, targetModules: 'all-linear' });
  return { setting: 'lora.enabled=true', total: estimateMemory({ ...plan, adapters }).total };
}

const megabytes = (bytes: number): string =>
  bytes >= 1000 * MIB ? `${(bytes / 1024 / MIB).toFixed(1)} GB` : `${Math.ceil(bytes / MIB)} MB`;

/** The parts that matter, the largest first, for people. */
function memoryParts(estimate: MemoryEstimate): string {
  const { total, ...parts } = estimate;
  return Object.entries(parts)
    .filter(([, bytes]) => bytes >= total / 100)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, bytes]) => `${name} ${megabytes(bytes)}`)
    .join(', ');
}
