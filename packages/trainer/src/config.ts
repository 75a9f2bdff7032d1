/**
 * The one schema of a training run: YAML, flags and code all end here.
 * Marks as in docs/cipo.md: [P] paper, [A] attributed to the paper, [O] our own choice.
 */
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
  /** A JSON Lines file of rows; absent means the embedded procedural tasks. */
  train: z.string().optional(),
  heldOut: z.string().optional(),
  /** Domain of the rows that name none themselves. */
  domain: z.string().default('math'),
  /** Weight of each embedded kind in the mix; a kind at 0 is left out. */
  mix: z
    .strictObject({ arithmetic: z.number().min(0), functions: z.number().min(0) })
    .default({ arithmetic: 1, functions: 1 }),
  /** Difficulty dials of the embedded kinds, 1 (easy) to 5. */
  arithmeticLevel: z.int().min(1).max(5).default(3),
  functionsLevel: z.int().min(1).max(5).default(3),
});

const rollout = z.strictObject({
  /** B: prompts a step. */
  prompts: count.default(32),
  /** G: rollouts of a prompt [A]. */
  groupSize: z.int().min(2).default(8),
  /** Most tokens of a completion. */
  maxTokens: count.default(48),
  temperature: z.number().positive().default(1),
  topK: whole.default(0),
  topP: z.number().gt(0).max(1).default(1),
});

const replay = z.strictObject({
  /** rho_0 [A]: share of correct anchors at the start. */
  initial: share.default(0.3),
  min: share.default(0.2),
  max: share.default(0.8),
  /** R*: retention aimed at [A]. */
  target: share.default(0.8),
  /** (w1, w2, w3) [A]. */
  gains: z.tuple([z.number(), z.number(), z.number()]).default([0.8, 0.3, 0.05]),
});

const corrections = z.strictObject({
  enabled: z.boolean().default(true),
  /** lambda_c: weight of the correction stream [A]. */
  weight: z.number().min(0).default(1),
  /** phi: anchors per base prompt [A]. */
  anchorRatio: z.number().positive().default(1),
  /** Most anchors of one prompt [O]; 0 is no limit. */
  anchorsPerPrompt: whole.default(2),
  /** Pass rates whose attempts come first [A]. */
  preferredPassRate: z.tuple([share, share]).default([3 / 8, 6 / 8]),
  /** Fill up with correct anchors where failures run out [A]; off shrinks the stream instead [O]. */
  fillWithCorrect: z.boolean().default(false),
  /** Probability that a failed anchor carries the verifier's diagnostics [O]; 0 is the paper. */
  diagnosticsRate: share.default(0.5),
  riskMode: z.enum(RISK_MODES).default('postNorm'),
  /** lambda: extra price of turning a correct attempt wrong [A]. */
  riskPenalty: z.number().min(0).default(1),
  replay: replay.prefault({}),
});

const objective = z.strictObject({
  loss: z.enum(['ppo', 'importance_sampling', 'cispo']).default('ppo'),
  clipLow: z.number().positive().default(0.2),
  clipHigh: z.number().positive().default(0.2),
  /** k3 KL to the starting policy; 0 keeps no reference model. */
  beta: z.number().min(0).default(1e-4),
  aggregation: z.enum(AGGREGATIONS).default('seq-mean-token-mean'),
  /** Divide centred rewards by the group's standard deviation (off in dr-grpo). */
  normalizeByStd: z.boolean().default(true),
  /** DAPO: replace groups without signal by newly sampled ones, at most this many rounds; 0 is off. */
  dynamicSamplingRounds: whole.default(0),
  /** DAPO: completions within this many tokens of maxTokens lose up to 1 reward; 0 is off. */
  overlongBuffer: whole.default(0),
});

const optimizer = z.strictObject({
  learningRate: z.number().positive().default(1e-4),
  warmupSteps: whole.default(0),
  schedule: z.enum(['constant', 'linear', 'cosine']).default('constant'),
  weightDecay: z.number().min(0).default(0),
  maxGradNorm: z.number().min(0).default(1),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.99),
});

const engine = z.strictObject({
  executor: z.enum(['onnx', 'tfjs']).default('onnx'),
  /** tfjs backend; ignored by onnx. */
  backend: z.enum(['tensorflow', 'wasm', 'cpu']).optional(),
  /** 0: as many as the machine has cores, at most 8. */
  threads: whole.default(0),
});

const evaluation = z.strictObject({
  /** Held-out tasks, over all kinds. */
  tasks: count.default(400),
  /** Samples of each task: pass@k up to this k. */
  samples: count.default(8),
  /** Evaluate every so many steps to keep the best checkpoint; 0 evaluates before and after only. */
  every: whole.default(0),
});

export const trainConfig = z.strictObject({
  preset: z.enum(PRESETS).default('cipo'),
  seed: whole.default(1),
  steps: count.default(100),
  /** Stop after this many generated tokens, whichever comes first; comparisons use it. */
  maxGeneratedTokens: count.optional(),
  /** A folder with config.json, model.safetensors and tokenizer.json; absent means the shipped warm start. */
  model: z.string().optional(),
  tasks: tasks.prefault({}),
  rollout: rollout.prefault({}),
  corrections: corrections.prefault({}),
  objective: objective.prefault({}),
  optimizer: optimizer.prefault({}),
  engine: engine.prefault({}),
  evaluation: evaluation.prefault({}),
  /** Save every so many steps; the last and the best are always kept. */
  checkpointEvery: count.default(20),
  /** Sandbox processes; 0: as many as the machine has cores, at most 8. */
  workers: whole.default(0),
});

export type TrainConfig = z.output<typeof trainConfig>;
/** What a user may write: every key optional. */
export type TrainConfigInput = z.input<typeof trainConfig>;
