/** The schema of `cipo pretrain`. */
import { z } from 'zod';
import { trainConfig } from '../config.ts';

const count = z.int().min(1);
const share = z.number().min(0).max(1);

/**
 * The options of {@link pretrain}. `pretrainConfig.parse({})` gives the defaults that the shipped policy was made with.
 */
export const pretrainConfig = z.strictObject({
  seed: z.int().min(0).default(1).describe('seed of everything random'),
  steps: count.default(700).describe('optimizer steps'),
  batch: count.default(128).describe('sequences per step'),
  learningRate: z.number().positive().default(3e-3).describe('peak learning rate of AdamW'),
  scheduleSteps: count
    .default(2000)
    .describe(
      'steps over which the learning rate falls to zero; more than steps stops early, which leaves entropy to explore with',
    ),
  warmupSteps: z.int().min(0).default(40).describe('steps of linear warm-up'),
  correctionShare: share.default(0.6).describe('share of sequences that correct an attempt'),
  wrongShare: share.default(0.9).describe('share of incorrect attempts among those shown'),
  ownShare: share
    .default(0.8)
    .describe("share of the policy's own attempts among those shown, once there are some"),
  ownFrom: count.default(300).describe("first step that samples the policy's own attempts"),
  ownEvery: count.default(30).describe("steps between two samplings of the policy's own attempts"),
  evaluateEvery: count.default(100).describe('steps between two evaluations and saves'),
  evaluationTasks: count.default(128).describe('held-out tasks of an evaluation'),
  // Arithmetic takes longer to learn: with three times the share both kinds are learned at the same time.
  tasks: trainConfig.shape.tasks.unwrap().prefault({ mix: { arithmetic: 3, functions: 1 } }),
  engine: trainConfig.shape.engine,
  workers: trainConfig.shape.workers,
  model: z
    .strictObject({
      hidden_size: count.default(96),
      num_hidden_layers: count.default(3),
      num_attention_heads: count.default(6),
      intermediate_size: count.default(256),
      max_position_embeddings: count.default(192),
      initializer_range: z.number().positive().default(0.06),
    })
    .prefault({})
    .describe('shape of the model, by the keys of a Hugging Face config.json'),
  maxTokens: count.default(48).describe('maximum tokens per completion'),
});

/** A complete, checked configuration of {@link pretrain}. */
export type PretrainConfig = z.output<typeof pretrainConfig>;
