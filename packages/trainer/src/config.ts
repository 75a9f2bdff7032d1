/**
 * The one schema of a training run: YAML, flags and code all end here.
 * Descriptions are data: help, error messages and docs/reference/configuration.md are made from them.
 * Marks as in docs/design/cipo.md: [P] paper, [A] attributed to the paper, [O] our own choice.
 */
import { ADAMW_DEFAULTS, ENGINE_DEFAULTS } from '@cipo/engine/limits';
import { language } from '@cipo/reward';
import { MIB } from '@cipo/support';
import { z } from 'zod';

export const PRESETS = ['cipo', 'cipo-attributed', 'grpo', 'dapo', 'dr-grpo'] as const;
export const RISK_MODES = ['postNorm', 'meanOnly', 'perPrompt', 'reward'] as const;
export const AGGREGATIONS = ['seq-mean-token-mean', 'token-mean', 'constant'] as const;

export type PresetName = (typeof PRESETS)[number];
export type RiskMode = (typeof RISK_MODES)[number];
export type Aggregation = (typeof AGGREGATIONS)[number];

const share = z.number().min(0).max(1);
const count = z.int().min(1);
const whole = z.int().min(0);

const tasks = z.strictObject({
  train: z
    .string()
    .optional()
    .describe(
      'a file of rows to train on (JSON Lines, plain, .gz or .zst, or parquet); absent: the embedded procedural tasks',
    ),
  heldOut: z
    .string()
    .optional()
    .describe(
      'a file of rows to evaluate on; absent: one training row in ten, or the embedded split',
    ),
  domain: z
    .string()
    .optional()
    .describe(
      'domain of the rows that name none; absent: that of the only plug-in, else what their columns clearly say',
    ),
  mix: z
    .strictObject({
      arithmetic: z.number().min(0).default(1).describe('weight of the arithmetic chains'),
      functions: z.number().min(0).default(1).describe('weight of the JavaScript functions'),
    })
    .prefault({})
    .describe('weight of each embedded kind in the mix; a kind at 0 is left out'),
  arithmeticLevel: z
    .literal([1, 2, 3, 4, 5])
    .default(3)
    .describe('difficulty of the arithmetic chains, 1 (easy) to 5'),
  functionsLevel: z
    .literal([1, 2, 3, 4, 5])
    .default(3)
    .describe('difficulty of the functions asked for, 1 (easy) to 5'),
});

const rollout = z.strictObject({
  prompts: count.default(32).describe('B: prompts a step'),
  groupSize: z.int().min(2).default(8).describe('G: rollouts of a prompt [A]'),
  maxTokens: count.default(48).describe('most tokens of a completion'),
  temperature: z.number().positive().default(1).describe('sampling temperature in training [A]'),
  topK: whole.default(0).describe('sample from the k likeliest tokens; 0: from all'),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('sample from the smallest set of tokens with this much probability; 1: from all [A]'),
  minP: share
    .default(0)
    .describe(
      'sample from tokens at least this many times as likely as the likeliest; 0: from all',
    ),
  stopStrings: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'texts that end a completion, left out of what is judged, besides the end tokens of the model',
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

const weight = (says: string) => z.number().describe(says);

const reward = z.strictObject({
  terms: z
    .strictObject({
      correct: weight('1 for a right attempt, else 0').default(1),
      tests: weight('share of the tests passed; right or wrong where there are none').default(0),
      format: weight('1 where an answer could be read, right or wrong').default(0),
      think: weight('1 for <think>...</think> and then an answer, neither empty').default(0),
      length: weight('0 up to lengthFree, falling to -1 at rollout.maxTokens').default(0),
      language: weight('share of the letters that are of the script').default(0),
      noCode: weight('1 without a fenced block').default(0),
      repetition: weight('minus the share of repeated runs of four words').default(0),
    })
    .prefault({})
    .describe(
      'weight of each term of the reward; the rest of a run counts right and wrong as ever',
    ),
  lengthFree: z
    .number()
    .min(0)
    .lt(1)
    .default(0.5)
    .describe('share of rollout.maxTokens that costs nothing by the length term'),
  script: z
    .string()
    .refine(isScript, 'must be a script as Unicode names it: Latin, Han, Cyrillic, ...')
    .default('Latin')
    .describe('script of the language term, as Unicode names it: Latin, Han, Cyrillic, ...'),
});

const replay = z.strictObject({
  initial: share.default(0.3).describe('rho_0: share of correct anchors at the start [A]'),
  min: share.default(0.2).describe('lower bound of rho [A]'),
  max: share.default(0.8).describe('upper bound of rho [A]'),
  target: share.default(0.8).describe('R*: the retention aimed at [A]'),
  gains: z
    .tuple([z.number(), z.number(), z.number()])
    .default([0.8, 0.3, 0.05])
    .describe('w1, w2, w3: how rho reacts to distance, drop and stagnation [A]'),
});

const corrections = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe("train on corrections of the policy's own attempts; off is plain GRPO [P]"),
  weight: z
    .number()
    .min(0)
    .default(1)
    .describe('lambda_c: weight of the correction stream in the objective [A]'),
  anchorRatio: z.number().positive().default(1).describe('phi: anchors per base prompt [A]'),
  anchorsPerPrompt: whole.default(2).describe('most anchors of one prompt; 0: no limit [O]'),
  preferredPassRate: z
    .tuple([share, share])
    .default([3 / 8, 6 / 8])
    .describe('pass rates, from and to, whose attempts come first as anchors [A]'),
  fillWithCorrect: z
    .boolean()
    .default(false)
    .describe(
      'fill up with correct anchors where failures run out [A]; off shrinks the stream instead [O]',
    ),
  diagnosticsRate: share
    .default(0.5)
    .describe(
      "probability that a failed anchor carries the verifier's diagnostics [O]; 0 is the paper",
    ),
  riskMode: z
    .enum(RISK_MODES)
    .default('postNorm')
    .describe(
      'where the price of turning a right attempt wrong enters the advantage [O]; reward is literal [A]',
    ),
  riskPenalty: z
    .number()
    .min(0)
    .default(1)
    .describe('lambda: extra price of turning a right attempt wrong [A]'),
  replay: replay.prefault({}).describe('how the share of correct anchors adapts [A]'),
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
    .describe('eps below: the ratio is clipped at 1 - clipLow [A]'),
  clipHigh: z
    .number()
    .positive()
    .default(0.2)
    .describe('eps above: the ratio is clipped at 1 + clipHigh [A]'),
  beta: z
    .number()
    .min(0)
    .default(0)
    .describe('weight of the k3 KL to the starting policy; 0: no reference model is kept [O]'),
  aggregation: z
    .enum(AGGREGATIONS)
    .default('seq-mean-token-mean')
    .describe('how token losses become one number [A]'),
  normalizeByStd: z
    .boolean()
    .default(true)
    .describe('divide centred rewards by the standard deviation of their group; off in dr-grpo'),
  dynamicSamplingRounds: whole
    .default(0)
    .describe('DAPO: rounds of refilling groups without signal; 0: off'),
  overlongBuffer: whole
    .default(0)
    .describe('DAPO: completions within this many tokens of maxTokens lose up to 1 reward; 0: off'),
});

const optimizer = z.strictObject({
  learningRate: z.number().positive().default(1e-4).describe('AdamW step size at its peak'),
  warmupSteps: whole.default(0).describe('steps of linear warm-up'),
  schedule: z
    .enum(['constant', 'linear', 'cosine'])
    .default('constant')
    .describe('course of the learning rate after the warm-up'),
  weightDecay: z
    .number()
    .min(0)
    .default(ADAMW_DEFAULTS.weightDecay)
    .describe('decoupled weight decay'),
  maxGradNorm: z
    .number()
    .min(0)
    .default(1)
    .describe('gradients are scaled down to this global norm; 0: never [A]'),
  beta1: z
    .number()
    .min(0)
    .lt(1)
    .default(ADAMW_DEFAULTS.beta1)
    .describe('decay of the mean of gradients'),
  beta2: z
    .number()
    .min(0)
    .lt(1)
    .default(ADAMW_DEFAULTS.beta2)
    .describe('decay of the mean of squared gradients'),
});

const engine = z.strictObject({
  executor: z
    .enum(['onnx', 'tfjs'])
    .default('onnx')
    .describe('what computes the model: onnxruntime-node, or tfjs'),
  backend: z
    .enum(['cpu', 'webgpu', 'tensorflow', 'wasm'])
    .optional()
    .describe(
      'of onnx: cpu (default) or webgpu; of tfjs: tensorflow, webgpu, wasm or cpu, absent: the first of these that works, webgpu only by name',
    ),
  threads: whole.default(0).describe('threads of the engine; 0: one a core, at most 8'),
  memoryMb: whole
    .default(0)
    .describe('memory that a run may plan with, in MB; 0: what is free when it starts'),
  microBatchRows: z
    .int()
    .min(16)
    .default(ENGINE_DEFAULTS.microBatchRows)
    .describe('maximum tokens of one forward and backward pass; a larger batch is split'),
  logitsMb: count
    .default(ENGINE_DEFAULTS.logitsBytes / MIB)
    .describe('maximum MB of logits held at once; rows are processed in chunks'),
  recompute: z
    .boolean()
    .default(false)
    .describe(
      'keep only the input of each layer and compute the rest again for its gradient: less memory, a third more work',
    ),
  maxSequences: count
    .default(ENGINE_DEFAULTS.maxSequences)
    .describe('maximum number of sequences generated at once'),
  cacheMb: count
    .default(ENGINE_DEFAULTS.cacheBytes / MIB)
    .describe('maximum MB of the key/value caches while sampling; further rollouts wait'),
});

const lora = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('train low-rank adapters (LoRA) and leave the model itself as it is'),
  rank: count.default(16).describe('r: inner size of an adapter'),
  alpha: z
    .number()
    .positive()
    .default(32)
    .describe('an adapter counts alpha / rank times; with rslora alpha / sqrt(rank)'),
  targetModules: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .default('all-linear')
    .describe(
      'linear layers that get one, as PEFT names them (q_proj, v_proj, ...); all-linear: all but the output matrix',
    ),
  rslora: z
    .boolean()
    .default(false)
    .describe('scale by the square root of the rank (rsLoRA), for high ranks'),
});

const evaluation = z.strictObject({
  tasks: count.default(400).describe('held-out tasks, over all kinds'),
  samples: count.default(8).describe('samples of each task: pass@k up to this k'),
  every: whole
    .default(0)
    .describe('evaluate every so many steps to keep the best checkpoint; 0: before and after only'),
});

export const trainConfig = z.strictObject({
  preset: z.enum(PRESETS).default('cipo').describe('named recipe over which the rest is laid'),
  seed: whole.default(1).describe('everything random follows from it'),
  steps: count.default(100).describe('optimizer steps'),
  maxGeneratedTokens: count
    .optional()
    .describe('stop after this many generated tokens, if that comes before the last step'),
  model: z
    .string()
    .optional()
    .describe(
      'a Hugging Face folder or a GGUF file (docs/guide/models.md); absent: the shipped warm start',
    ),
  domains: z
    .array(z.string())
    .default([])
    .describe(
      'plug-in domains: paths or package names of modules that export them (docs/guide/domains.md)',
    ),
  tasks: tasks.prefault({}).describe('what is trained and evaluated on'),
  rollout: rollout.prefault({}).describe('how attempts are sampled in training'),
  reward: reward.prefault({}).describe('what an attempt is worth: terms and their weights [O]'),
  corrections: corrections.prefault({}).describe('the correction stream of CIPO'),
  objective: objective.prefault({}).describe('what a step maximises'),
  optimizer: optimizer.prefault({}).describe('AdamW'),
  lora: lora.prefault({}).describe('adapters in place of full training'),
  engine: engine.prefault({}).describe('where the policy is computed'),
  evaluation: evaluation.prefault({}).describe('held-out evaluation'),
  checkpointEvery: count
    .default(20)
    .describe('save every so many steps; the last and the best are always kept'),
  workers: whole.default(0).describe('sandbox processes; 0: one a core, at most 8'),
});

export type TrainConfig = z.output<typeof trainConfig>;
/** What a user may write: every key optional. */
export type TrainConfigInput = z.input<typeof trainConfig>;
