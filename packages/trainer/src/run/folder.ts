/**
 * A run on disk: config.json, metrics.jsonl, samples.jsonl, checkpoints/, summary.json.
 * Whole files appear by rename, so that a full disk or a kill leaves the previous one.
 */
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainConfig } from '../config.ts';
import type { ReplayState } from '../corrections/replay.ts';
import type { ProblemResult } from '../evaluation/quality.ts';
import type { Evaluation, Metrics, SampleRecord, Summary } from '../events.ts';

/** What a checkpoint needs beyond the policy to go on as if nothing had happened. */
export interface RunState {
  readonly step: number;
  readonly replay: ReplayState;
  readonly generatedTokens: number;
  readonly wallSeconds: number;
  readonly before: Evaluation;
  readonly best: { readonly step: number; readonly score: number } | null;
  /** Base rewards of the last steps, newest last: what "best" is judged by between evaluations. */
  readonly recentRewards: readonly number[];
}

export class RunFolder {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }

  async create(config: TrainConfig): Promise<void> {
    await mkdir(join(this.path, 'checkpoints'), { recursive: true });
    await this.configure(config);
    for (const name of ['metrics.jsonl', 'samples.jsonl'])
      await writeFile(join(this.path, name), '');
  }

  /** A resumed run may have been given other settings: the file says what goes on. */
  configure(config: TrainConfig): Promise<void> {
    return this.#write('config.json', config);
  }

  readonly #write = async (name: string, value: unknown) => {
    const target = join(this.path, name);
    await writeFile(`${target}.new`, `${JSON.stringify(value, null, 2)}\n`);
    await rename(`${target}.new`, target);
  };

  metrics(step: number, metrics: Metrics): Promise<void> {
    return appendFile(
      join(this.path, 'metrics.jsonl'),
      `${JSON.stringify({ step, ...metrics })}\n`,
    );
  }

  samples(records: readonly SampleRecord[]): Promise<void> {
    return appendFile(
      join(this.path, 'samples.jsonl'),
      records.map((r) => `${JSON.stringify(r)}\n`).join(''),
    );
  }

  /** `evaluations/<name>.jsonl`: one row a held-out problem, for paired comparisons. */
  async results(name: string, results: readonly ProblemResult[]): Promise<void> {
    await mkdir(join(this.path, 'evaluations'), { recursive: true });
    const path = join(this.path, 'evaluations', `${name}.jsonl`);
    await writeFile(path, results.map((r) => `${JSON.stringify(r)}\n`).join(''));
  }

  summary(summary: Summary): Promise<void> {
    return this.#write('summary.json', summary);
  }

  checkpointPath(name: string): string {
    return join(this.path, 'checkpoints', name);
  }

  /** Writes beside, then swaps: a checkpoint is whole or not there. `state.json` is the last file written. */
  async checkpoint(
    name: string,
    state: RunState,
    save: (directory: string) => Promise<void>,
  ): Promise<string> {
    const target = this.checkpointPath(name);
    const fresh = `${target}.new`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    await save(fresh);
    await writeFile(join(fresh, 'state.json'), JSON.stringify(state, null, 2));
    await rm(target, { recursive: true, force: true });
    await rename(fresh, target);
    return target;
  }

  /** Removes all step checkpoints but the newest `keep`. */
  async prune(keep: number): Promise<void> {
    const old = (await this.#steps()).slice(0, -keep);
    for (const step of old) await rm(this.checkpointPath(`step-${step}`), { recursive: true });
  }

  /** The newest whole checkpoint. @throws where there is none */
  async latest(): Promise<{ readonly directory: string; readonly state: RunState }> {
    const step = (await this.#steps()).at(-1);
    if (step === undefined)
      throw new Error(`nothing to resume: no checkpoint in ${join(this.path, 'checkpoints')}`);
    const directory = this.checkpointPath(`step-${step}`);
    return { directory, state: JSON.parse(await readFile(join(directory, 'state.json'), 'utf8')) };
  }

  /** Rows after `step` belong to a future that a resumed run lives through again. */
  async forgetAfter(step: number): Promise<void> {
    for (const name of ['metrics.jsonl', 'samples.jsonl']) {
      const rows = (await readFile(join(this.path, name), 'utf8'))
        .split('\n')
        .filter((line) => line !== '');
      const kept = rows.filter((line) => stepOf(line) <= step);
      await writeFile(join(this.path, `${name}.new`), kept.map((line) => `${line}\n`).join(''));
      await rename(join(this.path, `${name}.new`), join(this.path, name));
    }
  }

  async #steps(): Promise<number[]> {
    const names = await readdir(join(this.path, 'checkpoints')).catch(() => {
      throw new Error(`no run in ${this.path}: it has no checkpoints folder`);
    });
    return names
      .flatMap((name) => (/^step-\d+$/.test(name) ? [Number(name.slice(5))] : []))
      .sort((a, b) => a - b);
  }
}

/** A line cut short by a kill counts as the future. */
function stepOf(line: string): number {
  try {
    return Number(JSON.parse(line).step);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
