/** The procedural tasks that ship with the project. A problem's own text decides its split, so the two never meet. */
import type { DomainSet } from '@cipo/verifier/domains';
import type { Message } from '@cipo/verifier/types';
import { hash32, type Rng, stream } from '../rng.ts';
import { arithmetic } from './arithmetic.ts';
import { functions } from './functions.ts';
import type { TaskSource, TrainingTask } from './source.ts';
import type { Level, Problem, TaskKind } from './types.ts';

export const KINDS = { arithmetic, functions } as const satisfies Record<string, TaskKind>;
export type KindName = keyof typeof KINDS;

/** One part of the mix: a kind, its dial and its weight. */
export interface Part {
  readonly kind: TaskKind;
  readonly level: Level;
  readonly weight: number;
}

/** One in five problems is held out, by a hash of its text. */
export const isHeldOut = (problem: Problem) => hash32(problem.prompt) % 5 === 0;

/** Draws until a problem of the wanted split comes up. */
export function drawProblem(part: Part, rng: Rng, heldOut: boolean): Problem {
  for (;;) {
    const problem = part.kind.draw(rng, part.level);
    if (isHeldOut(problem) === heldOut) return problem;
  }
}

/** The part whose turn it is: weights are kept exactly over any long enough run of indices. */
export function partAt(parts: readonly Part[], index: number): Part {
  const total = parts.reduce((sum, p) => sum + p.weight, 0);
  // Golden-ratio stepping spreads the indices evenly over [0, total).
  let at = ((index * 0.6180339887498949) % 1) * total;
  for (const part of parts) {
    at -= part.weight;
    if (at < 0) return part;
  }
  return parts[parts.length - 1]!;
}

export class EmbeddedTasks implements TaskSource {
  readonly problems: readonly string[] = [];
  readonly #parts: readonly Part[];
  readonly #domains: DomainSet;
  readonly #seed: number;

  constructor(parts: readonly Part[], domains: DomainSet, seed: number) {
    this.#parts = parts.filter((p) => p.weight > 0);
    if (this.#parts.length === 0)
      throw new Error('tasks.mix: every kind has weight 0, nothing to train on');
    this.#domains = domains;
    this.#seed = seed;
  }

  train(step: number, count: number, round: number): TrainingTask[] {
    return Array.from({ length: count }, (_, i) => {
      const part = partAt(this.#parts, step * count + i);
      const rng = stream(this.#seed, 'train', part.kind.name, step, round, i);
      return this.toTask(part, drawProblem(part, rng, false));
    });
  }

  /** Without the run's seed: every run is measured on the same problems. */
  heldOut(count: number): TrainingTask[] {
    const seen = new Set<string>();
    return Array.from({ length: count }, (_, i) => {
      const part = partAt(this.#parts, i);
      const rng = stream('held-out', part.kind.name, part.level, i);
      let problem = drawProblem(part, rng, true);
      // Small kinds run dry: then a problem may come twice rather than never.
      for (let tries = 0; seen.has(problem.prompt) && tries < 50; tries++)
        problem = drawProblem(part, rng, true);
      seen.add(problem.prompt);
      return this.toTask(part, problem);
    });
  }

  async close(): Promise<void> {
    await this.#domains.close();
  }

  /** A drawn problem as a task of this source. */
  toTask({ kind }: Part, problem: Problem): TrainingTask {
    const domain = this.#domains.get(kind.domain);
    const prompt: Message[] = [{ role: 'user', content: problem.prompt }];
    return {
      kind: kind.name,
      domain,
      task: domain.parse({ id: `${kind.name}:${problem.prompt}`, prompt, ...problem.row }),
      correction: (attempt, diagnostics) =>
        correctionTurns(problem.prompt, attempt.text, kind.note(diagnostics)),
    };
  }
}

/** The same three turns for every kind: the shipped policy's chat template lays them out. */
export function correctionTurns(problem: string, attempt: string, note: string): Message[] {
  return [
    { role: 'user', content: problem },
    { role: 'assistant', content: attempt },
    { role: 'user', content: note },
  ];
}
