/** Plans the memory of a run before anything is loaded, and refuses a run that does not fit. */
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
import { type TrainConfig, trainConfig } from '../config.ts';
import { ConfigError } from '../errors.ts';

/** The memory that a run needs and may use. */
export interface PlannedMemory {
  readonly plan: MemoryPlan;
  readonly estimate: MemoryEstimate;
  /** Bytes that the run may use: configured, or free on the machine. */
  readonly budget: number;
  /** Bytes of it that compiled programs may keep. */
  readonly scratchBytes: number;
}

/** Numbers of batch shapes whose compiled programs may be kept, best first. Compiling a program again takes seconds. */
const KEPT_SHAPES = [4, 3, 2, 1];
/** Parts of an estimate below this share of the total are not listed. */
const LISTED_SHARE = 0.01;

/**
 * @param lora absent if the model's own weights are trained
 * @param trains false if the policy will only sample and score
 */
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
  const plans = KEPT_SHAPES.map(planFor);
  const plan = plans.find((each) => estimateMemory(each).total <= budget) ?? plans.at(-1)!;
  const estimate = estimateMemory(plan);
  return { plan, estimate, budget, scratchBytes: estimate.activations + estimate.logits };
}

/** The engine's limits of a configuration, in bytes. */
export function limitsOf(engine: TrainConfig['engine']): Omit<EngineLimits, 'scratchBytes'> {
  const { microBatchRows, maxSequences, cacheMb, logitsMb } = engine;
  return { microBatchRows, maxSequences, cacheBytes: cacheMb * MIB, logitsBytes: logitsMb * MIB };
}

/** @throws {ConfigError} if the plan exceeds the budget, with settings that make it smaller */
export function checkMemory({ plan, estimate, budget }: PlannedMemory, lora: boolean): void {
  if (estimate.total <= budget) return;
  const advice = [
    ...(lora || !plan.trains ? [] : [loraAdvice(plan)]),
    ...memoryAdvice(plan, budget),
  ].map(({ setting, total }) => `  --set ${setting}   ${formatBytes(total)}`);
  throw new ConfigError(
    [
      `this run needs about ${formatBytes(estimate.total)} of memory and may use ${formatBytes(budget)}: ${formatParts(estimate)}.`,
      ...(advice.length > 0 ? ['With one of these settings it needs:', ...advice] : []),
      'Or set engine.memoryMb, if the estimate is wrong for this machine.',
    ].join('\n'),
  );
}

/** What the run would need with the default LoRA settings. */
function loraAdvice(plan: MemoryPlan): { readonly setting: string; readonly total: number } {
  const { enabled: _, ...lora } = trainConfig.parse({}).lora;
  const adapters = loraModules(plan.config, lora);
  return { setting: 'lora.enabled=true', total: estimateMemory({ ...plan, adapters }).total };
}

function formatBytes(bytes: number): string {
  return bytes >= 1000 * MIB
    ? `${(bytes / 1024 / MIB).toFixed(1)} GiB`
    : `${Math.ceil(bytes / MIB)} MiB`;
}

/** The large parts of an estimate, largest first. */
function formatParts(estimate: MemoryEstimate): string {
  const { total, ...parts } = estimate;
  return Object.entries(parts)
    .filter(([, bytes]) => bytes >= total * LISTED_SHARE)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, bytes]) => `${name} ${formatBytes(bytes)}`)
    .join(', ');
}
