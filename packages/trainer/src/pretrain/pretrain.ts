/**
 * The warm start: supervised training of a small policy on the embedded tasks, up to the point where both streams have
 * something to learn (docs/design/cipo.md). It learns corrections from two sources of mistakes: those that the tasks
 * make up, and the policy's own, judged by the real domains.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalEngine } from '@cipo/engine';
import { policyDiagnostics } from '@cipo/reward';
import type { DomainSet } from '@cipo/verifier/domains';
import type { Message } from '@cipo/verifier/types';
import { evaluate } from '../evaluation/evaluate.ts';
import type { Evaluation } from '../events.ts';
import { rollOut } from '../loop/rollout.ts';
import { learningRateAt } from '../loop/schedule.ts';
import { type Policy, savePolicy, threadsOf } from '../policy/policy.ts';
import { loadTokenizer } from '../policy/tokenizer.ts';
import { createRng, hashText, type Rng } from '../rng.ts';
import { openDomains } from '../tasks/domains.ts';
import {
  drawProblem,
  EmbeddedTasks,
  embeddedCorrection,
  type MixPart,
  partAt,
} from '../tasks/embedded.ts';
import { embeddedMix } from '../tasks/open.ts';
import type { Problem } from '../tasks/types.ts';
import { embeddedTokenizer } from '../tasks/vocabulary.ts';
import type { Datum, TokenIds } from '../types.ts';
import type { PretrainConfig } from './config.ts';

/** Options of {@link pretrain}. */
export interface PretrainOptions {
  /** Folder that becomes the policy; made if it does not exist, its files are overwritten. */
  readonly directory: string;
  /** Stops before the next step: {@link pretrain} then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after every step with its loss, in nats per token. */
  readonly onStep?: (step: number, steps: number, loss: number) => void;
  readonly onEvaluated?: (step: number, evaluation: Evaluation) => void;
  /** Domains that judge the attempts; closed at the end. Default: math and code. */
  readonly domains?: DomainSet;
}

const BETA2 = 0.98;
const MAX_GRAD_NORM = 1;
/** Probability that a correction prompt carries the note on the attempt; also in evaluations. */
const NOTE_RATE = 0.5;
const EVALUATION_SAMPLES = 8;
/** Problems, and attempts at each, of one sampling of the policy's own attempts. */
const OWN_PROBLEMS = 256;
const OWN_ATTEMPTS = 2;

/** An attempt to show in a correction prompt, with the note on it. */
interface ShownAttempt {
  readonly part: MixPart;
  readonly problem: Problem;
  readonly attempt: string;
  readonly note: string;
  readonly passed: boolean;
}

/** A prompt and the response to learn. */
interface Example {
  readonly messages: readonly Message[];
  readonly response: string;
}

/**
 * Trains a small policy from random weights and writes it as a Hugging Face folder.
 * @returns the last held-out evaluation
 * @throws if the folder cannot be written, the engine cannot be opened or `signal` aborts
 */
export async function pretrain(
  config: PretrainConfig,
  options: PretrainOptions,
): Promise<Evaluation> {
  const mix = embeddedMix(config.tasks).filter(({ weight }) => weight > 0);
  const domains = options.domains ?? (await openDomains({ workers: config.workers, domains: [] }));
  try {
    const tasks = new EmbeddedTasks(mix, domains, config.seed);
    const policy = await createPolicy(config, options.directory);
    try {
      return await runSteps(config, options, { policy, tasks, mix });
    } finally {
      await policy.engine.close();
    }
  } finally {
    await domains.close();
  }
}

interface PretrainParts {
  readonly policy: Policy;
  readonly tasks: EmbeddedTasks;
  readonly mix: readonly MixPart[];
}

async function runSteps(
  config: PretrainConfig,
  { directory, signal, onStep, onEvaluated }: PretrainOptions,
  parts: PretrainParts,
): Promise<Evaluation> {
  let own: readonly ShownAttempt[] = [];
  for (let step = 1; ; step++) {
    signal?.throwIfAborted();
    if (step >= config.ownFrom && step % config.ownEvery === 0) {
      own = await sampleOwnAttempts(config, parts, step);
    }
    const loss = await supervisedStep(config, parts, own, step);
    onStep?.(step, config.steps, loss);
    const isLast = step === config.steps;
    if (step % config.evaluateEvery !== 0 && !isLast) continue;
    await savePolicy(parts.policy, directory, { weightsOnly: true });
    const evaluation = await evaluateHeldOut(config, parts);
    onEvaluated?.(step, evaluation);
    if (isLast) return evaluation;
  }
}

/** Random weights and the tokenizer of the embedded kinds, whose files are written into the folder. */
async function createPolicy(config: PretrainConfig, directory: string): Promise<Policy> {
  const { tokenizer: tokenizerJson, config: tokenizerConfig, size } = embeddedTokenizer();
  await mkdir(directory, { recursive: true });
  await writeJson(join(directory, 'tokenizer.json'), tokenizerJson);
  await writeJson(join(directory, 'tokenizer_config.json'), tokenizerConfig);
  const tokenizer = loadTokenizer(directory);
  const engine = await createLocalEngine({
    config: { ...config.model, vocab_size: size, eos_token_id: tokenizer.endId },
    executor: config.engine.executor,
    ...(config.engine.backend && { backend: config.engine.backend }),
    threads: threadsOf(config.engine.threads),
    seed: config.seed,
  });
  return {
    engine,
    tokenizer,
    parameters: engine.parameterCount,
    trained: engine.trainedCount,
    description: engine.executor,
    directory,
  };
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 1)}\n`);
}

/** One optimizer step on a batch of drawn examples. @returns the loss in nats per token */
async function supervisedStep(
  config: PretrainConfig,
  { policy, mix }: PretrainParts,
  own: readonly ShownAttempt[],
  step: number,
): Promise<number> {
  const { engine, tokenizer } = policy;
  const rng = createRng(config.seed, 'pretrain', step);
  const examples = Array.from({ length: config.batch }, (_, i) =>
    drawExample(config, partAt(mix, step * config.batch + i), own, rng),
  );
  const rows = examples.map(({ messages, response }) => ({
    prompt: tokenizer.renderChat(messages),
    completion: Int32Array.of(...tokenizer.encode(response), tokenizer.endId),
  }));
  const tokens = rows.reduce((n, { completion }) => n + completion.length, 0);
  const { loss } = await engine.forwardBackward(
    rows.map(({ prompt, completion }) => supervisedDatum(prompt, completion, 1 / tokens)),
    { kind: 'cross_entropy' },
  );
  const { learningRate, warmupSteps, scheduleSteps } = config;
  const schedule = { learningRate, warmupSteps, schedule: 'cosine' } as const;
  await engine.optimStep({
    learningRate: learningRateAt(step, scheduleSteps, schedule),
    beta2: BETA2,
    maxGradNorm: MAX_GRAD_NORM,
  });
  return loss;
}

/** A problem to solve, or an attempt to correct. */
function drawExample(
  config: PretrainConfig,
  part: MixPart,
  own: readonly ShownAttempt[],
  rng: Rng,
): Example {
  if (rng.unit() >= config.correctionShare) {
    const { prompt, solution } = drawProblem(part, rng, false);
    return { messages: [{ role: 'user', content: prompt }], response: solution };
  }
  const { problem, attempt, note } = drawShownAttempt(config, part, own, rng);
  const shownNote = rng.unit() < NOTE_RATE ? note : '';
  return {
    messages: embeddedCorrection(problem.prompt, attempt, shownNote),
    response: problem.solution,
  };
}

/** More incorrect attempts than correct ones: most attempts that training shows to the policy are incorrect. */
function drawShownAttempt(
  config: PretrainConfig,
  part: MixPart,
  own: readonly ShownAttempt[],
  rng: Rng,
): ShownAttempt {
  const passed = rng.unit() >= config.wrongShare;
  const candidates = own.filter((shown) => shown.part === part && shown.passed === passed);
  if (rng.unit() < config.ownShare && candidates.length > 0) return rng.pick(candidates);
  const problem = drawProblem(part, rng, false);
  if (passed) return { part, problem, attempt: problem.solution, note: '', passed };
  return { part, problem, ...problem.mistake(rng), passed };
}

/** Samples attempts of the policy in its present state, judged by the domains. */
async function sampleOwnAttempts(
  config: PretrainConfig,
  { policy, tasks, mix }: PretrainParts,
  step: number,
): Promise<ShownAttempt[]> {
  const rng = createRng(config.seed, 'own', step);
  const drawn = Array.from({ length: OWN_PROBLEMS }, (_, i) => {
    const part = partAt(mix, i);
    return { part, problem: drawProblem(part, rng, false) };
  });
  const requests = drawn.map(({ part, problem }) => {
    const item = tasks.toTask(part, problem);
    return { item, messages: item.task.prompt };
  });
  const groups = await rollOut(policy, requests, {
    groupSize: OWN_ATTEMPTS,
    maxTokens: config.maxTokens,
    temperature: 1,
    seed: hashText(`${config.seed} own ${step}`),
  });
  return groups.flatMap(({ rollouts }, b) => {
    const { part, problem } = drawn[b]!;
    return rollouts
      .filter(({ correctness, attempt }) => correctness !== undefined && attempt.text.trim() !== '')
      .map(({ attempt, verdict, correctness }) => ({
        part,
        problem,
        attempt: attempt.text,
        note: part.kind.note(policyDiagnostics(verdict)),
        passed: correctness === 1,
      }));
  });
}

/** A sequence whose completion tokens have the same weight each. */
function supervisedDatum(prompt: TokenIds, completion: TokenIds, weight: number): Datum {
  const tokens = new Int32Array(prompt.length + completion.length);
  tokens.set(prompt);
  tokens.set(completion, prompt.length);
  return { tokens, weights: new Float32Array(tokens.length).fill(weight, prompt.length) };
}

async function evaluateHeldOut(
  config: PretrainConfig,
  { policy, tasks }: PretrainParts,
): Promise<Evaluation> {
  const measured = await evaluate(policy, tasks.heldOut(config.evaluationTasks), {
    samples: EVALUATION_SAMPLES,
    maxTokens: config.maxTokens,
    temperature: 1,
    diagnosticsRate: NOTE_RATE,
  });
  // Only a signal makes it undefined, and none was passed.
  return measured!.evaluation;
}
