/** Tasks of a user's own JSON Lines files. An unreadable row is named by its line and left out; the rest goes on. */
import { readFileSync } from 'node:fs';
import { type Domain, preview, TaskError } from '@cipo/verifier/types';
import { hash32, stream } from '../rng.ts';
import type { TaskSource, TrainingTask } from './source.ts';

export interface FileOptions {
  readonly train: string;
  /** Absent: one row in ten of `train`, by a hash of its id. */
  readonly heldOut?: string | undefined;
  /** Domain of rows that name none. */
  readonly domain: string;
  readonly seed: number;
}

export class FileTasks implements TaskSource {
  readonly problems: string[] = [];
  readonly #domains: Readonly<Record<string, Domain>>;
  readonly #options: FileOptions;
  readonly #train: readonly TrainingTask[];
  readonly #heldOut: readonly TrainingTask[];

  constructor(options: FileOptions, domains: Readonly<Record<string, Domain>>) {
    this.#options = options;
    this.#domains = domains;
    const rows = this.#read(options.train);
    const held = (t: TrainingTask) => hash32(t.task.id) % 10 === 0;
    this.#train = options.heldOut ? rows : rows.filter((t) => !held(t));
    this.#heldOut = options.heldOut ? this.#read(options.heldOut) : rows.filter(held);
    if (this.#train.length === 0)
      throw new Error(
        `tasks.train: no readable row in ${options.train}. ${this.problems[0] ?? 'It is empty.'}`,
      );
    if (this.#heldOut.length === 0)
      throw new Error('tasks.heldOut: no held-out row; name a file of them');
  }

  train(step: number, count: number, round: number): TrainingTask[] {
    const n = this.#train.length;
    if (round > 0)
      return stream(this.#options.seed, 'refill', step, round).shuffle(this.#train).slice(0, count);
    return Array.from({ length: count }, (_, i) => {
      const at = (step - 1) * count + i;
      return this.#epoch(Math.floor(at / n))[at % n]!;
    });
  }

  heldOut(count: number): TrainingTask[] {
    return stream('held-out').shuffle(this.#heldOut).slice(0, count);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#domains).map((d) => d.close?.()));
  }

  #shuffled: { epoch: number; tasks: readonly TrainingTask[] } | undefined;
  #epoch(epoch: number): readonly TrainingTask[] {
    if (this.#shuffled?.epoch !== epoch) {
      this.#shuffled = {
        epoch,
        tasks: stream(this.#options.seed, 'epoch', epoch).shuffle(this.#train),
      };
    }
    return this.#shuffled.tasks;
  }

  #read(path: string): TrainingTask[] {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.flatMap((line, i) =>
      line.trim() === '' ? [] : this.#row(line, `${path}:${i + 1}`),
    );
  }

  #row(line: string, place: string): TrainingTask[] {
    try {
      const row: unknown = JSON.parse(line);
      const named =
        typeof row === 'object' && row !== null && 'domain' in row ? row.domain : undefined;
      const domain = this.#domains[String(named ?? this.#options.domain)];
      if (!domain)
        throw new TaskError(
          'domain',
          `must be one of ${Object.keys(this.#domains).join(', ')}`,
          named,
        );
      const task = domain.parse(row);
      return [
        {
          kind: domain.name,
          domain,
          task,
          correction: (a, d) => (domain.correction ?? plainCorrection)(task, a, d),
        },
      ];
    } catch (error) {
      if (!(error instanceof TaskError || error instanceof SyntaxError)) throw error;
      this.problems.push(
        `${place}: ${error instanceof TaskError ? error.message : `not JSON, received ${preview(line)}`}`,
      );
      return [];
    }
  }
}

/** For domains without words of their own. States no verdict: right attempts are among those shown. */
const plainCorrection: NonNullable<Domain['correction']> = (task, attempt, diagnostics) => [
  ...task.prompt,
  { role: 'assistant', content: attempt.text },
  {
    role: 'user',
    content: [
      'The answer above is an earlier attempt and may be wrong. Check it. Correct it if there is a mistake, keep it if it is right, and answer in the same format.',
      ...diagnostics.map((d) => d.message),
    ].join('\n'),
  },
];
