/**
 * Tasks of a user's own files: JSON Lines, plain or compressed, and parquet. An unreadable row is named by its
 * line and left out; the rest goes on.
 */
import { plainCorrection } from '@cipo/verifier/correction';
import type { DomainSet } from '@cipo/verifier/domains';
import { openRows } from '@cipo/verifier/files';
import { normalizeRow } from '@cipo/verifier/rows';
import { isTaskError, TaskError } from '@cipo/verifier/types';
import { hash32, stream } from '../rng.ts';
import type { TaskSource, TrainingTask } from './source.ts';

export interface FileOptions {
  readonly train: string;
  /** Absent: one row in ten of `train`, by a hash of its id. */
  readonly heldOut?: string | undefined;
  /** Domain of rows that name none. Absent: what their columns say. */
  readonly domain?: string | undefined;
  readonly seed: number;
}

/** What was read of the files, and what could not be. */
export interface FileContents {
  readonly train: readonly TrainingTask[];
  readonly heldOut: readonly TrainingTask[] | undefined;
  readonly problems: readonly string[];
}

export class FileTasks implements TaskSource {
  readonly problems: readonly string[];
  readonly #domains: DomainSet;
  readonly #seed: number;
  readonly #train: readonly TrainingTask[];
  readonly #heldOut: readonly TrainingTask[];

  /** Use {@link openFileTasks}, which reads the files. */
  constructor(options: FileOptions, contents: FileContents, domains: DomainSet) {
    const { train: rows, heldOut } = contents;
    this.problems = contents.problems;
    this.#seed = options.seed;
    this.#domains = domains;
    const held = (t: TrainingTask) => hash32(t.task.id) % 10 === 0;
    this.#train = heldOut ? rows : rows.filter((t) => !held(t));
    this.#heldOut = heldOut ?? rows.filter(held);
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
      return stream(this.#seed, 'refill', step, round).shuffle(this.#train).slice(0, count);
    return Array.from({ length: count }, (_, i) => {
      const at = (step - 1) * count + i;
      return this.#epoch(Math.floor(at / n))[at % n]!;
    });
  }

  heldOut(count: number): TrainingTask[] {
    return stream('held-out').shuffle(this.#heldOut).slice(0, count);
  }

  async close(): Promise<void> {
    await this.#domains.close();
  }

  #shuffled: { epoch: number; tasks: readonly TrainingTask[] } | undefined;
  #epoch(epoch: number): readonly TrainingTask[] {
    if (this.#shuffled?.epoch !== epoch) {
      this.#shuffled = {
        epoch,
        tasks: stream(this.#seed, 'epoch', epoch).shuffle(this.#train),
      };
    }
    return this.#shuffled.tasks;
  }
}

/**
 * Reads the files of a run. Rows have the columns of `docs/guide/verify.md`.
 * @throws where a file is missing, or has no readable row
 */
export async function openFileTasks(options: FileOptions, domains: DomainSet): Promise<FileTasks> {
  const problems: string[] = [];
  const train = await readTasks(options.train, options, domains, problems);
  const heldOut =
    options.heldOut === undefined
      ? undefined
      : await readTasks(options.heldOut, options, domains, problems);
  return new FileTasks(options, { train, heldOut, problems }, domains);
}

async function readTasks(
  path: string,
  { domain }: FileOptions,
  domains: DomainSet,
  problems: string[],
): Promise<TrainingTask[]> {
  const tasks: TrainingTask[] = [];
  const file = await openRows(path);
  for await (const { line, row, problem } of file.rows()) {
    try {
      if (problem) throw problem;
      tasks.push(taskOf(row, domain, domains));
    } catch (error) {
      if (!isTaskError(error)) throw error;
      problems.push(`${path}:${line}: ${error.message}`);
    }
  }
  return tasks;
}

function taskOf(row: unknown, fallback: string | undefined, domains: DomainSet): TrainingTask {
  const normalized = normalizeRow(row, { domain: fallback, labels: domains.plugged });
  const domain = domains.get(normalized.domain);
  const task = domain.parse(normalized.fields);
  if (task.prompt.length === 0)
    throw new TaskError('prompt', 'is missing', normalized.fields.prompt);
  return {
    kind: domain.name,
    domain,
    task,
    correction: (a, d) => (domain.correction ?? plainCorrection)(task, a, d),
  };
}
