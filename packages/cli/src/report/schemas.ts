/** Schemas of the files in a run folder. An older version may have written them, so the report checks what it reads. */
import { z } from 'zod';

/** JSON has no NaN: the share of an empty set is null. */
const share = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const estimate = z.object({ mean: share, low: share, high: share, n: z.number() });

const quality = z.object({
  passAt1: estimate,
  passAtK: estimate,
  fixRate: estimate,
  retention: estimate,
});

const evaluation = quality.extend({
  k: z.number(),
  perKind: z.record(z.string(), quality),
  voided: z.number().default(0),
});

export const summaryFile = z.object({
  preset: z.string(),
  seed: z.number(),
  parameters: z.number().optional(),
  trained: z.number().optional(),
  lora: z.object({ rank: z.number(), alpha: z.number() }).optional(),
  steps: z.number(),
  generatedTokens: z.number(),
  wallSeconds: z.number(),
  interrupted: z.boolean().default(false),
  intervals: z.object({ before: evaluation, after: evaluation.nullable() }),
});

export const environmentFile = z.object({
  command: z.string(),
  cipo: z.string(),
  node: z.string(),
  platform: z.string(),
  machine: z.string(),
  engine: z.string(),
});

export const sampleLine = z.object({
  step: z.number(),
  kind: z.string(),
  taskId: z.string(),
  stream: z.enum(['base', 'correction']),
  prompt: z.string(),
  attempt: z.string(),
  passed: z.boolean().optional(),
  status: z.string(),
  diagnostics: z.array(z.string()).default([]),
  advantage: share.default(Number.NaN),
  anchor: z
    .object({
      attempt: z.string(),
      passed: z.boolean(),
      diagnosticsShown: z.array(z.string()).default([]),
    })
    .optional(),
});

export const metricsLine = z.record(z.string(), z.unknown());

export type EnvironmentFile = z.output<typeof environmentFile>;
export type SummaryFile = z.output<typeof summaryFile>;
export type EvaluationFile = z.output<typeof evaluation>;
export type EstimateFile = z.output<typeof estimate>;
export type SampleLine = z.output<typeof sampleLine>;
