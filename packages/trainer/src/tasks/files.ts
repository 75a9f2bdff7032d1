/**
 * Tasks from a user's files: JSON Lines, plain or compressed, and parquet. A row that cannot be read is left out, with
 * a warning that names its line.
 */
import { plainCorrection } from '@cipo/verifier/correction';
import type { DomainSet } from '@cipo/verifier/domains';
import { openRows } from '@cipo/verifier/files';
import { normalizeRow } from '@cipo/verifier/rows';
import { isTaskError, TaskError } from '@cipo/verifier/types';
import { ConfigError } from '../errors.ts';
import { createRng, hashText } from '../rng.ts';
import type { TaskSource, TrainingTask } from './source.ts';

/** Options of {@link openFileTasks}. */
export interface FileOptions {
  /** File of the training rows. */
  readonly train: string;
  /** File of the held-out rows. Absent: one row in ten of `train`, by a hash of its id. */
  readonly heldOut?: string | undefined;
  /** Domain of rows that name none. Absent: inferred from their columns. */
  readonly domain?: string | undefined;
  readonly seed: number;
}

/** Without a held-out file, one row in this many is held out. */
const HELD_OUT_EVERY = 10;

/** The tasks of the files, and a warning for each row that could not be read. */
interface FileContents {
  readonly train: readonly TrainingTask[];
  readonly heldOut: readonly TrainingTask[] | undefined;
  readonly warnings: readonly string[];
}

/**
 * Reads the files of a run. docs/reference/rows.md lists the columns.
 * @throws if a file is missing or has no readable row
 */
export async function openFileTasks(options: FileOptions, domains: DomainSet): Promise<TaskSource> {
  const warnings: string[] = [];
  const train = await readTasks(options.train, options, domains, warnings);
  const heldOut =
    options.heldOut === undefined
      ? undefined
      : await readTasks(options.heldOut, options, domains, warnings);
  return new FileTasks(options, { train, heldOut, warnings }, domains);
}

class FileTasks implements TaskSource {
  readonly warnings: readonly string[];
  readonly #domains: DomainSet;
  readonly #seed: number;
  readonly #train: readonly TrainingTask[];
  readonly #heldOut: readonly TrainingTask[];
  #shuffled: { readonly epoch: number; readonly tasks: readonly TrainingTask[] } | undefined;

  constructor(options: FileOptions, contents: FileContents, domains: DomainSet) {
    const { train, heldOut, warnings } = contents;
    this.warnings = warnings;
    this.#seed = options.seed;
    this.#domains = domains;
    this.#train = heldOut ? train : train.filter((item) => !isHeldOut(item));
    this.#heldOut = heldOut ?? train.filter(isHeldOut);
    if (this.#train.length === 0) {
      throw new ConfigError(
        `tasks.train: no readable row in ${options.train}. ${warnings[0] ?? 'The file is empty.'}`,
      );
    }
    if (this.#heldOut.length === 0) {
      throw new ConfigError(
        'tasks.heldOut: no held-out row; set it to a file with at least one row',
      );
    }
  }

  train(step: number, count: number, round: number): TrainingTask[] {
    if (round > 0) {
      return createRng(this.#seed, 'refill', step, round).shuffle(this.#train).slice(0, count);
    }
    const size = this.#train.length;
    return Array.from({ length: count }, (_, i) => {
      const index = (step - 1) * count + i;
      return this.#epoch(Math.floor(index / size))[index % size]!;
    });
  }

  heldOut(count: number): TrainingTask[] {
    return createRng('held-out').shuffle(this.#heldOut).slice(0, count);
  }

  async close(): Promise<void> {
    await this.#domains.close();
  }

  /** The training rows in the order of an epoch. */
  #epoch(epoch: number): readonly TrainingTask[] {
    if (this.#shuffled?.epoch !== epoch) {
      const tasks = createRng(this.#seed, 'epoch', epoch).shuffle(this.#train);
      this.#shuffled = { epoch, tasks };
    }
    return this.#shuffled.tasks;
  }
}

function isHeldOut({ task }: TrainingTask): boolean {
  return hashText(task.id) % HELD_OUT_EVERY === 0;
}

/** @param warnings receives one sentence for each row that cannot be read */
async function readTasks(
  path: string,
  { domain }: FileOptions,
  domains: DomainSet,
  warnings: string[],
): Promise<TrainingTask[]> {
  const tasks: TrainingTask[] = [];
  const file = await openRows(path);
  for await (const { line, row, problem } of file.rows()) {
    try {
      if (problem) throw problem;
      tasks.push(toTask(row, domain, domains));
    } catch (error) {
      if (!isTaskError(error)) throw error;
      warnings.push(`${path}:${line}: ${error.message}`);
    }
  }
  return tasks;
}

function toTask(row: unknown, fallback: string | undefined, domains: DomainSet): TrainingTask {
  const normalized = normalizeRow(row, { domain: fallback, labels: domains.plugged });
  const domain = domains.get(normalized.domain);
  const task = domain.parse(normalized.fields);
  if (task.prompt.length === 0) {
    throw new TaskError('prompt', 'is missing', normalized.fields.prompt);
  }
  return {
    kind: domain.name,
    domain,
    task,
    correction: (attempt, diagnostics) =>
      (domain.correction ?? plainCorrection)(task, attempt, diagnostics),
  };
}
