/**
 * @packageDocumentation The schema of a training run, for YAML, flags and code. The descriptions are data: help texts,
 * error messages and docs/reference/configuration.md are made from them.
 * Marks as in docs/design/cipo.md: [P] paper, [A] attributed to the paper, [O] our own choice.
 */
import { ADAMW_DEFAULTS, ENGINE_LIMITS, type LimitRule } from '@cipo/engine/limits';
import { language } from '@cipo/reward';
import { MIB } from '@cipo/support';
import { z } from 'zod';

/** Names of the presets. */
export const PRESETS = ['cipo', 'cipo-attributed', 'grpo', 'dapo', 'dr-grpo'] as const;
/** Where the risk penalty can enter the advantage: docs/design/cipo.md. */
export const RISK_MODES = ['postNorm', 'meanOnly', 'perPrompt', 'reward'] as const;
/** How token losses can be averaged. */
export const AGGREGATIONS = ['seq-mean-token-mean', 'token-mean', 'constant'] as const;

/** One of {@link PRESETS}. */
export type PresetName = (typeof PRESETS)[number];
/** One of {@link RISK_MODES}. */
export type RiskMode = (typeof RISK_MODES)[number];
/** One of {@link AGGREGATIONS}. */
export type Aggregation = (typeof AGGREGATIONS)[number];

const share = z.number().min(0).max(1);
const count = z.int().min(1);
const whole = z.int().min(0);

const tasks = z.strictObject({
  train: z
    .string()
    .optional()
    .describe(
      'file of training rows: JSON Lines (plain, .gz or .zst) or parquet; absent: the embedded procedural tasks',
    ),
  heldOut: z
    .string()
    .optional()
    .describe(
      'file of rows to evaluate on; absent: one in ten rows of train, or the held-out embedded tasks',
    ),
  domain: z
    .string()
    .optional()
    .describe(
      'domain of rows that name none; absent: the domain of the only plug-in, else inferred from the columns of each row',
    ),
  mix: z
    .strictObject({
      arithmetic: z.number().min(0).default(1).describe('weight of the arithmetic tasks'),
      functions: z
        .number()
        .min(0)
        .default(1)
        .describe('weight of the tasks that ask for a JavaScript function'),
    })
    .prefault({})
    .describe('weight of each embedded kind of task; 0 leaves it out'),
  arithmeticLevel: z
    .literal([1, 2, 3, 4, 5])
    .default(3)
    .describe('difficulty of the arithmetic tasks, 1 (easy) to 5 (hard)'),
  functionsLevel: z
    .literal([1, 2, 3, 4, 5])
    .default(3)
    .describe('difficulty of the function tasks, 1 (easy) to 5 (hard)'),
});

const rollout = z.strictObject({
  prompts: count.default(32).describe('B: prompts per step'),
  groupSize: z.int().min(2).default(8).describe('G: rollouts per prompt [A]'),
  maxTokens: count.default(48).describe('maximum tokens per completion'),
  temperature: z.number().positive().default(1).describe('sampling temperature in training [A]'),
  topK: whole.default(0).describe('sample only from the k most likely tokens; 0: from all'),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe(
      'sample only from the smallest set of tokens with at least this total probability; 1: from all [A]',
    ),
  minP: share
    .default(0)
    .describe(
      'sample only from tokens with at least this fraction of the probability of the most likely token; 0: from all',
    ),
  stopStrings: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'texts that end a completion, in addition to the end tokens of the model; they are not part of the judged text',
    ),
});

function isScript(name: string): boolean {
  try {
    language(name);
    return true;
  } catch {
    return false;
  }
}

function weight(description: string, value: number) {
  return z.number().default(value).describe(description);
}

const reward = z.strictObject({
  terms: z
    .strictObject({
      correct: weight('1 if the attempt is correct, else 0', 1),
      tests: weight('share of tests passed; for tasks without tests as correct', 0),
      format: weight('1 if an answer could be read, correct or not', 0),
      think: weight('1 if the response is <think>...</think> followed by text, neither empty', 0),
      length: weight('0 up to lengthFree, then falling linearly to -1 at rollout.maxTokens', 0),
      language: weight('share of letters that belong to the script', 0),
      noCode: weight('1 if the response has no fenced code block', 0),
      repetition: weight('minus the share of repeated four-word sequences', 0),
    })
    .prefault({})
    .describe(
      'weight of each reward term; pass@k, fix rate and anchors still use binary correctness',
    ),
  lengthFree: z
    .number()
    .min(0)
    .lt(1)
    .default(0.5)
    .describe('share of rollout.maxTokens that the length term does not penalize'),
  script: z
    .string()
    .refine(isScript, 'expected the Unicode name of a script: Latin, Han, Cyrillic, ...')
    .default('Latin')
    .describe('script of the language term by its Unicode name: Latin, Han, Cyrillic, ...'),
});

const replay = z.strictObject({
  initial: share.default(0.3).describe('rho_0: share of correct anchors in the first step [A]'),
  min: share.default(0.2).describe('lower bound of rho [A]'),
  max: share.default(0.8).describe('upper bound of rho [A]'),
  target: share.default(0.8).describe('R*: target retention [A]'),
  gains: z
    .tuple([z.number(), z.number(), z.number()])
    .default([0.8, 0.3, 0.05])
    .describe(
      'w1, w2, w3: gains of rho for the distance to the target, a drop, and consecutive steps below the target [A]',
    ),
});

const corrections = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe("train on corrections of the policy's own attempts; false: plain GRPO [P]"),
  weight: z
    .number()
    .min(0)
    .default(1)
    .describe('lambda_c: weight of the correction stream in the objective [A]'),
  anchorRatio: z.number().positive().default(1).describe('phi: anchors per base prompt [A]'),
  anchorsPerPrompt: whole.default(2).describe('maximum anchors per prompt; 0: no limit [O]'),
  preferredPassRate: z
    .tuple([share, share])
    .default([3 / 8, 6 / 8])
    .describe(
      'lowest and highest pass rate of the prompts whose attempts are preferred as anchors [A]',
    ),
  fillWithCorrect: z
    .boolean()
    .default(false)
    .describe(
      'use more correct anchors if there are too few incorrect attempts [A]; false: fewer anchors instead [O]',
    ),
  diagnosticsRate: share
    .default(0.5)
    .describe(
      "probability that the prompt of an incorrect anchor shows the verifier's diagnostics [O]; 0: as in the paper",
    ),
  riskMode: z
    .enum(RISK_MODES)
    .default('postNorm')
    .describe(
      'where the penalty for breaking a correct attempt enters the advantage [O]; reward: the literal formula [A]',
    ),
  riskPenalty: z
    .number()
    .min(0)
    .default(1)
    .describe('lambda: extra penalty for breaking a correct attempt [A]'),
  replay: replay.prefault({}).describe('adaptation of the share of correct anchors [A]'),
});

const objective = z.strictObject({
  loss: z
    .enum(['ppo', 'importance_sampling', 'cispo'])
    .default('ppo')
    .describe('policy-gradient loss'),
  clipLow: z
    .number()
    .positive()
    .default(0.2)
    .describe('lower epsilon: the probability ratio is clipped at 1 - clipLow [A]'),
  clipHigh: z
    .number()
    .positive()
    .default(0.2)
    .describe('upper epsilon: the probability ratio is clipped at 1 + clipHigh [A]'),
  beta: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'weight of the KL term (k3 estimator) to the starting policy; 0: no reference model is kept [O]',
    ),
  aggregation: z
    .enum(AGGREGATIONS)
    .default('seq-mean-token-mean')
    .describe('how token losses are averaged [A]'),
  normalizeByStd: z
    .boolean()
    .default(true)
    .describe('divide centered rewards by the standard deviation of their group; false in dr-grpo'),
  dynamicSamplingRounds: whole
    .default(0)
    .describe('DAPO: maximum rounds that replace groups without signal; 0: off'),
  overlongBuffer: whole
    .default(0)
    .describe(
      'DAPO: number of tokens before maxTokens over which the reward falls by up to 1; 0: off',
    ),
});

const optimizer = z.strictObject({
  learningRate: z.number().positive().default(1e-4).describe('peak learning rate of AdamW'),
  warmupSteps: whole.default(0).describe('steps of linear warm-up'),
  schedule: z
    .enum(['constant', 'linear', 'cosine'])
    .default('constant')
    .describe('learning rate after the warm-up'),
  weightDecay: z
    .number()
    .min(0)
    .default(ADAMW_DEFAULTS.weightDecay)
    .describe('decoupled weight decay'),
  maxGradNorm: z
    .number()
    .min(0)
    .default(1)
    .describe('global norm to which larger gradients are scaled down; 0: no clipping [A]'),
  beta1: z
    .number()
    .min(0)
    .lt(1)
    .default(ADAMW_DEFAULTS.beta1)
    .describe('decay rate of the mean of gradients'),
  beta2: z
    .number()
    .min(0)
    .lt(1)
    .default(ADAMW_DEFAULTS.beta2)
    .describe('decay rate of the mean of squared gradients'),
});

/** A limit of the engine that counts rows or sequences. */
function countLimit(limit: LimitRule) {
  return z.int().min(limit.min).default(limit.default);
}

/** A limit of the engine in bytes, configured in whole MB. */
function megabyteLimit(limit: LimitRule) {
  return z
    .int()
    .min(Math.ceil(limit.min / MIB))
    .default(limit.default / MIB);
}

const engine = z.strictObject({
  executor: z
    .enum(['onnx', 'tfjs'])
    .default('onnx')
    .describe('library that computes the model: onnxruntime-node or TensorFlow.js'),
  backend: z
    .enum(['cpu', 'webgpu', 'tensorflow', 'wasm'])
    .optional()
    .describe(
      'backend of the executor; onnx: cpu (default) or webgpu; tfjs: tensorflow, webgpu, wasm or cpu, by default the first of tensorflow, wasm and cpu that works',
    ),
  threads: whole.default(0).describe('threads of the engine; 0: one per core, at most 8'),
  memoryMb: whole
    .default(0)
    .describe(
      'maximum MB of memory that a run may plan to use; 0: the memory that is free at its start',
    ),
  microBatchRows: countLimit(ENGINE_LIMITS.microBatchRows).describe(
    'maximum tokens of one forward and backward pass; a larger batch is split',
  ),
  logitsMb: megabyteLimit(ENGINE_LIMITS.logitsBytes).describe(
    'maximum MB of logits held at once; rows are processed in chunks',
  ),
  recompute: z
    .boolean()
    .default(false)
    .describe(
      'keep only the input of each layer and recompute the rest for the gradient: less memory, a third more work',
    ),
  maxSequences: countLimit(ENGINE_LIMITS.maxSequences).describe(
    'maximum number of sequences generated at once',
  ),
  cacheMb: megabyteLimit(ENGINE_LIMITS.cacheBytes).describe(
    'maximum MB of the key/value caches while sampling; further rollouts wait',
  ),
});

const lora = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('train low-rank adapters (LoRA) and keep the weights of the model fixed'),
  rank: count.default(16).describe('r: rank of an adapter'),
  alpha: z
    .number()
    .positive()
    .default(32)
    .describe('an adapter is scaled by alpha / rank; with rslora by alpha / sqrt(rank)'),
  targetModules: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .default('all-linear')
    .describe(
      'linear layers with an adapter, by their PEFT names (q_proj, v_proj, ...); all-linear: all except the output layer',
    ),
  rslora: z
    .boolean()
    .default(false)
    .describe('divide alpha by the square root of the rank (rsLoRA), for high ranks'),
});

const evaluation = z.strictObject({
  tasks: count.default(400).describe('number of held-out tasks, over all kinds'),
  samples: count.default(8).describe('k: attempts per task, and the k of pass@k'),
  every: whole
    .default(0)
    .describe(
      'steps between evaluations, which select the best checkpoint; 0: only before and after training',
    ),
});

/**
 * The options of a training run. `trainConfig.parse({})` gives the defaults.
 * @throws {z.ZodError} naming each wrong key
 */
export const trainConfig = z.strictObject({
  preset: z
    .enum(PRESETS)
    .default('cipo')
    .describe('named set of options; the other keys override it'),
  seed: whole.default(1).describe('seed of everything random'),
  steps: count.default(100).describe('optimizer steps'),
  maxGeneratedTokens: count
    .optional()
    .describe('stop after this many generated tokens, if reached before the last step'),
  model: z
    .string()
    .optional()
    .describe(
      'Hugging Face folder or GGUF file (docs/guide/models.md); absent: the shipped warm start',
    ),
  domains: z
    .array(z.string())
    .default([])
    .describe(
      'plug-in domains: paths or package names of the modules that export them (docs/guide/domains.md)',
    ),
  tasks: tasks.prefault({}).describe('tasks to train and evaluate on'),
  rollout: rollout.prefault({}).describe('sampling of attempts in training'),
  reward: reward.prefault({}).describe('terms of the reward and their weights [O]'),
  corrections: corrections.prefault({}).describe('the correction stream of CIPO'),
  objective: objective.prefault({}).describe('the objective that a step maximizes'),
  optimizer: optimizer.prefault({}).describe('AdamW optimizer'),
  lora: lora.prefault({}).describe('adapters instead of full training'),
  engine: engine.prefault({}).describe('the engine that computes the policy'),
  evaluation: evaluation.prefault({}).describe('held-out evaluation'),
  checkpointEvery: count
    .default(20)
    .describe('steps between checkpoints; the last and the best are always saved'),
  workers: whole.default(0).describe('sandbox processes; 0: one per core, at most 8'),
});

/** A complete, checked configuration. */
export type TrainConfig = z.output<typeof trainConfig>;
/** A configuration as users write it: every key is optional. */
export type TrainConfigInput = z.input<typeof trainConfig>;
