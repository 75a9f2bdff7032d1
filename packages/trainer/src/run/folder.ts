/**
 * A run on disk: config.json, metrics.jsonl, samples.jsonl, evaluations/, checkpoints/, summary.json.
 * Whole files are written beside the old ones and then renamed, so a full disk or a kill leaves the previous version.
 */
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainConfig } from '../config.ts';
import type { ReplayState } from '../corrections/replay.ts';
import { FileError } from '../errors.ts';
import type { ProblemResult } from '../evaluation/quality.ts';
import type { Evaluation, Metrics, SampleRecord, Summary } from '../events.ts';

/** What a resumed run needs besides the policy to continue as if it had not stopped. */
export interface RunState {
  /** Steps done. */
  readonly step: number;
  readonly replay: ReplayState;
  readonly generatedTokens: number;
  readonly wallSeconds: number;
  /** The held-out evaluation before the first step. */
  readonly before: Evaluation;
  readonly best: { readonly step: number; readonly score: number } | null;
  /** Mean base rewards of the latest steps with a judged attempt, newest last: they score checkpoints. */
  readonly recentRewards: readonly number[];
}

/** A checkpoint found on disk. */
export interface Checkpoint {
  /** Folder with the policy. */
  readonly directory: string;
  readonly state: RunState;
}

const METRICS = 'metrics.jsonl';
const SAMPLES = 'samples.jsonl';

/** Reads and writes the files of one run. */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Starts a new run: empty metrics and samples. */
  async create(config: TrainConfig): Promise<void> {
    await mkdir(join(this.path, 'checkpoints'), { recursive: true });
    await this.writeConfig(config);
    await writeFile(join(this.path, METRICS), '');
    await writeFile(join(this.path, SAMPLES), '');
  }

  /** Writes config.json. A resumed run may have other settings than the run it continues. */
  writeConfig(config: TrainConfig): Promise<void> {
    return this.#writeJson('config.json', config);
  }

  appendMetrics(step: number, metrics: Metrics): Promise<void> {
    return appendFile(join(this.path, METRICS), toJsonLines([{ step, ...metrics }]));
  }

  appendSamples(records: readonly SampleRecord[]): Promise<void> {
    return appendFile(join(this.path, SAMPLES), toJsonLines(records));
  }

  /** Writes `evaluations/<name>.jsonl`: one row per held-out problem, for paired comparisons. */
  async writeResults(name: string, results: readonly ProblemResult[]): Promise<void> {
    await mkdir(join(this.path, 'evaluations'), { recursive: true });
    await writeFile(join(this.path, 'evaluations', `${name}.jsonl`), toJsonLines(results));
  }

  writeSummary(summary: Summary): Promise<void> {
    return this.#writeJson('summary.json', summary);
  }

  /**
   * Writes a checkpoint beside the old one of this name, then swaps them: it is complete or absent.
   * @param save writes the policy into the folder it is given; `state.json` is written after it
   * @returns the folder of the checkpoint
   */
  async saveCheckpoint(
    name: string,
    state: RunState,
    save: (directory: string) => Promise<void>,
  ): Promise<string> {
    const target = this.#checkpointPath(name);
    const fresh = `${target}.new`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    await save(fresh);
    await writeFile(join(fresh, 'state.json'), JSON.stringify(state, null, 2));
    await rm(target, { recursive: true, force: true });
    await rename(fresh, target);
    return target;
  }

  /** Removes all step checkpoints except the newest `count`. */
  async pruneCheckpoints(count: number): Promise<void> {
    const old = (await this.#steps()).slice(0, -count);
    for (const step of old) {
      await rm(this.#checkpointPath(`step-${step}`), { recursive: true });
    }
  }

  /** The newest complete checkpoint. @throws {FileError} if there is none */
  async latestCheckpoint(): Promise<Checkpoint> {
    const step = (await this.#steps()).at(-1);
    if (step === undefined) {
      throw new FileError(`nothing to resume: no checkpoint in ${join(this.path, 'checkpoints')}`);
    }
    const directory = this.#checkpointPath(`step-${step}`);
    return { directory, state: JSON.parse(await readFile(join(directory, 'state.json'), 'utf8')) };
  }

  /** Removes metrics and samples of later steps: the resumed run writes them again. */
  async discardAfter(step: number): Promise<void> {
    for (const name of [METRICS, SAMPLES]) {
      const lines = (await readFile(join(this.path, name), 'utf8')).split('\n');
      const kept = lines.filter((line) => line !== '' && stepOf(line) <= step);
      await this.#write(name, kept.map((line) => `${line}\n`).join(''));
    }
  }

  #checkpointPath(name: string): string {
    return join(this.path, 'checkpoints', name);
  }

  #writeJson(name: string, value: unknown): Promise<void> {
    return this.#write(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  async #write(name: string, text: string): Promise<void> {
    const target = join(this.path, name);
    await writeFile(`${target}.new`, text);
    await rename(`${target}.new`, target);
  }

  async #steps(): Promise<number[]> {
    const names = await readdir(join(this.path, 'checkpoints')).catch((cause: unknown) => {
      throw new FileError(`no run in ${this.path}: it has no checkpoints folder`, { cause });
    });
    return names
      .flatMap((name) => (/^step-\d+$/.test(name) ? [Number(name.slice('step-'.length))] : []))
      .sort((a, b) => a - b);
  }
}

function toJsonLines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** The step of a line; infinity for a line that a kill cut short. */
function stepOf(line: string): number {
  try {
    return Number(JSON.parse(line).step);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
