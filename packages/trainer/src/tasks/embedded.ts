/**
 * The procedural tasks that ship with the package. The text of a problem decides whether it is for training or held
 * out, so the two splits never overlap.
 */
import type { DomainSet } from '@cipo/verifier/domains';
import type { Message } from '@cipo/verifier/types';
import { ConfigError } from '../errors.ts';
import { createRng, hashText, type Rng } from '../rng.ts';
import { arithmetic } from './arithmetic.ts';
import { functions } from './functions.ts';
import type { TaskSource, TrainingTask } from './source.ts';
import type { Level, Problem, TaskKind } from './types.ts';

/** The embedded kinds by name. */
export const KINDS = { arithmetic, functions } as const satisfies Record<string, TaskKind>;
export type KindName = keyof typeof KINDS;

/** One part of the mix: a kind with its difficulty and its weight. */
export interface MixPart {
  readonly kind: TaskKind;
  readonly level: Level;
  readonly weight: number;
}

/** One in this many problems is held out. */
const HELD_OUT_EVERY = 5;
/** Draws for a held-out problem that has not occurred before; small kinds then repeat a problem. */
const MAX_REDRAWS = 50;
/** Steps of this size, modulo 1, spread indices evenly over [0, 1). */
const GOLDEN_RATIO = 0.6180339887498949;

/** The embedded kinds as a source of tasks. */
export class EmbeddedTasks implements TaskSource {
  readonly warnings: readonly string[] = [];
  readonly #mix: readonly MixPart[];
  readonly #domains: DomainSet;
  readonly #seed: number;

  /** @throws {ConfigError} if every part of the mix has weight 0 */
  constructor(mix: readonly MixPart[], domains: DomainSet, seed: number) {
    this.#mix = mix.filter(({ weight }) => weight > 0);
    if (this.#mix.length === 0) {
      throw new ConfigError('tasks.mix: every kind has weight 0; expected at least one above 0');
    }
    this.#domains = domains;
    this.#seed = seed;
  }

  train(step: number, count: number, round: number): TrainingTask[] {
    return Array.from({ length: count }, (_, i) => {
      const part = partAt(this.#mix, step * count + i);
      const rng = createRng(this.#seed, 'train', part.kind.name, step, round, i);
      return this.toTask(part, drawProblem(part, rng, false));
    });
  }

  /** Independent of the run's seed: every run is evaluated on the same problems. */
  heldOut(count: number): TrainingTask[] {
    const seen = new Set<string>();
    return Array.from({ length: count }, (_, i) => {
      const part = partAt(this.#mix, i);
      const rng = createRng('held-out', part.kind.name, part.level, i);
      let problem = drawProblem(part, rng, true);
      for (let redraws = 0; seen.has(problem.prompt) && redraws < MAX_REDRAWS; redraws++) {
        problem = drawProblem(part, rng, true);
      }
      seen.add(problem.prompt);
      return this.toTask(part, problem);
    });
  }

  async close(): Promise<void> {
    await this.#domains.close();
  }

  /** A drawn problem as a task of this source. */
  toTask({ kind }: MixPart, problem: Problem): TrainingTask {
    const domain = this.#domains.get(kind.domain);
    const prompt: Message[] = [{ role: 'user', content: problem.prompt }];
    return {
      kind: kind.name,
      domain,
      task: domain.parse({ id: `${kind.name}:${problem.prompt}`, prompt, ...problem.row }),
      correction: (attempt, diagnostics) =>
        embeddedCorrection(problem.prompt, attempt.text, kind.note(diagnostics)),
    };
  }
}

/** Draws until a problem of the wanted split comes up. */
export function drawProblem(part: MixPart, rng: Rng, heldOut: boolean): Problem {
  for (;;) {
    const problem = part.kind.draw(rng, part.level);
    const isHeldOut = hashText(problem.prompt) % HELD_OUT_EVERY === 0;
    if (isHeldOut === heldOut) return problem;
  }
}

/** The part of the mix for an index. Over many indices each part has its share by weight. */
export function partAt(mix: readonly MixPart[], index: number): MixPart {
  const total = mix.reduce((sum, { weight }) => sum + weight, 0);
  let at = ((index * GOLDEN_RATIO) % 1) * total;
  for (const part of mix) {
    at -= part.weight;
    if (at < 0) return part;
  }
  return mix[mix.length - 1]!;
}

/** The messages of a correction prompt, the same for every embedded kind. The shipped chat template lays them out. */
export function embeddedCorrection(prompt: string, attempt: string, note: string): Message[] {
  return [
    { role: 'user', content: prompt },
    { role: 'assistant', content: attempt },
    { role: 'user', content: note },
  ];
}
