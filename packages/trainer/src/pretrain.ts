/**
 * The warm start: supervised training of a small policy on the project's own generators, until both streams have
 * something to do (docs/design/cipo.md, "What a toy taught"). Corrections are learned from mistakes of two kinds:
 * made up by the generator, and the policy's own, judged by the real domains.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalEngine } from '@cipo/engine';
import { policyDiagnostics } from '@cipo/reward';
import { z } from 'zod';
import { trainConfig } from './config.ts';
import { evaluate } from './evaluation/evaluate.ts';
import type { Evaluation } from './events.ts';
import { rollOut } from './loop/rollout.ts';
import { learningRateAt } from './loop/schedule.ts';
import { type Policy, savePolicy, threadsOf } from './policy/policy.ts';
import { loadTokenizer } from './policy/tokenizer.ts';
import { hash32, type Rng, stream } from './rng.ts';
import { type DomainSet, openDomains } from './tasks/domains.ts';
import {
  correctionTurns,
  drawProblem,
  EmbeddedTasks,
  type Part,
  partAt,
} from './tasks/embedded.ts';
import { partsOf } from './tasks/index.ts';
import type { Problem } from './tasks/types.ts';
import { embeddedTokenizer } from './tasks/vocabulary.ts';
import type { Datum, TokenIds } from './types.ts';

const count = z.int().min(1);
const share = z.number().min(0).max(1);

export const pretrainConfig = z.strictObject({
  seed: z.int().min(0).default(1),
  steps: count.default(700).describe('Optimizer steps'),
  batch: count.default(128).describe('Sequences a step'),
  learningRate: z.number().positive().default(3e-3),
  scheduleSteps: count
    .default(2000)
    .describe(
      'Steps over which the rate falls to zero; more than steps leaves the policy unfinished, with entropy to learn from',
    ),
  warmupSteps: z.int().min(0).default(40),
  correctionShare: share.default(0.6).describe('Share of sequences that correct an attempt'),
  wrongShare: share.default(0.9).describe('Share of wrong attempts among those shown'),
  ownShare: share
    .default(0.8)
    .describe("Share of shown attempts that are the policy's own, once it has some"),
  ownFrom: count
    .default(300)
    .describe('First step whose policy is good enough for its attempts to be shown'),
  ownEvery: count.default(30).describe("Steps between samplings of the policy's own attempts"),
  evaluateEvery: count.default(100),
  evaluationTasks: count.default(128),
  /** Arithmetic takes longer to learn: three times the share, and both kinds arrive together. */
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
    .prefault({}),
  maxTokens: count.default(48),
});
export type PretrainConfig = z.output<typeof pretrainConfig>;

export interface PretrainOptions {
  /** Folder that becomes the policy. */
  readonly directory: string;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: number, steps: number, loss: number) => void;
  readonly onEvaluated?: (step: number, evaluation: Evaluation) => void;
  readonly domains?: DomainSet;
}

/** An attempt to be corrected, with the words of its diagnostics. */
interface Shown {
  readonly part: Part;
  readonly problem: Problem;
  readonly attempt: string;
  readonly note: string;
  readonly passed: boolean;
}

/** Trains from random weights and writes the folder. @returns the last held-out evaluation */
export async function pretrain(
  config: PretrainConfig,
  options: PretrainOptions,
): Promise<Evaluation> {
  const parts = partsOf(config.tasks).filter((p) => p.weight > 0);
  const tasks = new EmbeddedTasks(
    parts,
    options.domains ?? (await openDomains({ workers: config.workers, domains: [] })),
    config.seed,
  );
  const policy = await newPolicy(config, options.directory);
  try {
    let own: readonly Shown[] = [];
    let last: Evaluation | undefined;
    for (let step = 1; step <= config.steps; step++) {
      options.signal?.throwIfAborted();
      if (step >= config.ownFrom && step % config.ownEvery === 0)
        own = await ownAttempts(config, policy, tasks, parts, step);
      const loss = await supervisedStep(config, policy, parts, own, step);
      options.onStep?.(step, config.steps, loss);
      if (step % config.evaluateEvery !== 0 && step !== config.steps) continue;
      await savePolicy(policy, options.directory, { weightsOnly: true });
      last = await measure(config, policy, tasks);
      options.onEvaluated?.(step, last);
    }
    // Steps are at least 1, and the last one is always measured.
    return last!;
  } finally {
    await Promise.all([policy.engine.close(), tasks.close()]);
  }
}

/** Random weights and the tokenizer of the embedded kinds, written where the policy will be. */
async function newPolicy(config: PretrainConfig, directory: string): Promise<Policy> {
  const { tokenizer, config: tokenizerConfig, size } = embeddedTokenizer();
  await mkdir(directory, { recursive: true });
  const write = (name: string, value: unknown) =>
    writeFile(join(directory, name), `${JSON.stringify(value, null, 1)}\n`);
  await write('tokenizer.json', tokenizer);
  await write('tokenizer_config.json', tokenizerConfig);
  const text = loadTokenizer(directory);
  const engine = await createLocalEngine({
    config: { ...config.model, vocab_size: size, eos_token_id: text.endId },
    executor: config.engine.executor,
    ...(config.engine.backend && { backend: config.engine.backend }),
    threads: threadsOf(config.engine.threads),
    seed: config.seed,
  });
  return {
    engine,
    tokenizer: text,
    parameters: engine.parameterCount,
    trained: engine.trainedCount,
    description: engine.executor,
    directory,
  };
}

async function supervisedStep(
  config: PretrainConfig,
  { engine, tokenizer }: Policy,
  parts: readonly Part[],
  own: readonly Shown[],
  step: number,
): Promise<number> {
  const rng = stream(config.seed, 'pretrain', step);
  const pairs = Array.from({ length: config.batch }, (_, i) => {
    const part = partAt(parts, step * config.batch + i);
    if (rng.unit() >= config.correctionShare) {
      const problem = drawProblem(part, rng, false);
      return {
        messages: [{ role: 'user', content: problem.prompt } as const],
        right: problem.right,
      };
    }
    const { problem, attempt, note } = shownAttempt(config, part, own, rng);
    return {
      messages: correctionTurns(problem.prompt, attempt, rng.unit() < 0.5 ? note : ''),
      right: problem.right,
    };
  });
  const rows = pairs.map(({ messages, right }) => ({
    prompt: tokenizer.renderChat(messages),
    completion: Int32Array.of(...tokenizer.encode(right), tokenizer.endId),
  }));
  const tokens = rows.reduce((n, { completion }) => n + completion.length, 0);
  const { loss } = await engine.forwardBackward(
    rows.map(({ prompt, completion }) => supervised(prompt, completion, 1 / tokens)),
    { kind: 'cross_entropy' },
  );
  await engine.optimStep({
    learningRate: learningRateAt(step, config.scheduleSteps, { ...config, schedule: 'cosine' }),
    beta2: 0.98,
    maxGradNorm: 1,
  });
  return loss;
}

/** More wrong attempts than right ones: most of what a policy is shown in training has failed. */
function shownAttempt(config: PretrainConfig, part: Part, own: readonly Shown[], rng: Rng): Shown {
  const wrong = rng.unit() < config.wrongShare;
  const fitting = own.filter((s) => s.part === part && s.passed !== wrong);
  if (rng.unit() < config.ownShare && fitting.length > 0) return rng.pick(fitting);
  const problem = drawProblem(part, rng, false);
  if (!wrong) return { part, problem, attempt: problem.right, note: '', passed: true };
  return { part, problem, ...problem.mistake(rng), passed: false };
}

/** What the policy writes by itself at this point, judged for real. */
async function ownAttempts(
  config: PretrainConfig,
  policy: Policy,
  tasks: EmbeddedTasks,
  parts: readonly Part[],
  step: number,
): Promise<Shown[]> {
  const rng = stream(config.seed, 'own', step);
  const drawn = Array.from({ length: 256 }, (_, i) => {
    const part = partAt(parts, i);
    return { part, problem: drawProblem(part, rng, false) };
  });
  const groups = await rollOut(
    policy,
    drawn.map(({ part, problem }) => {
      const item = tasks.toTask(part, problem);
      return { item, messages: item.task.prompt };
    }),
    {
      groupSize: 2,
      maxTokens: config.maxTokens,
      temperature: 1,
      seed: hash32(`${config.seed} own ${step}`),
    },
  );
  return groups.flatMap(({ rollouts }, i) =>
    rollouts
      .filter((r) => r.reward !== undefined && r.attempt.text.trim() !== '')
      .map((r) => ({
        ...drawn[i]!,
        attempt: r.attempt.text,
        note: drawn[i]!.part.kind.note(policyDiagnostics(r.verdict)),
        passed: r.reward === 1,
      })),
  );
}

function supervised(prompt: TokenIds, completion: TokenIds, weight: number): Datum {
  const tokens = new Int32Array(prompt.length + completion.length);
  tokens.set(prompt);
  tokens.set(completion, prompt.length);
  return { tokens, weights: new Float32Array(tokens.length).fill(weight, prompt.length) };
}

async function measure(
  config: PretrainConfig,
  policy: Policy,
  tasks: EmbeddedTasks,
): Promise<Evaluation> {
  const measured = await evaluate(policy, tasks.heldOut(config.evaluationTasks), {
    samples: 8,
    maxTokens: config.maxTokens,
    temperature: 1,
    diagnosticsRate: 0.5,
  });
  // No signal was passed that could have stopped it.
  return measured!.evaluation;
}
