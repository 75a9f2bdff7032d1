/**
 * Reads the files of a run for its report. An interrupted run has no summary and may end in half a line: complete data is
 * returned, the rest is counted in notes. Leaves out: drawing.
 */
import { createReadStream, existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { isRecord } from '@cipo/support';
import type { Settings } from '../config/layers.ts';
import { EXIT, UserError } from '../errors.ts';
import { ENVIRONMENT_FILE } from '../run/environment.ts';
import { plural } from '../terminal/format.ts';
import {
  type EnvironmentFile,
  environmentFile,
  metricsLine,
  type SampleLine,
  type SummaryFile,
  sampleLine,
  summaryFile,
} from './schemas.ts';

/** Limits that keep the page quick to open. */
interface Limits {
  readonly samples: number;
  readonly textChars: number;
}

const LIMITS: Limits = { samples: 3_000, textChars: 4_000 };

/** What the report shows of a run. */
export interface RunData {
  readonly name: string;
  readonly config: Settings;
  readonly summary?: SummaryFile;
  readonly environment?: EnvironmentFile;
  /** One column per metric, including `step`; null for a step without it. */
  readonly metrics: Readonly<Record<string, readonly (number | null)[]>>;
  readonly samples: readonly SampleLine[];
  /** The number of samples in the file; `samples` is a part of them. */
  readonly samplesTotal: number;
  /** Messages about what could not be read. */
  readonly notes: readonly string[];
}

/** @throws {UserError} the folder is not a run */
export async function readRun(directory: string, limits: Limits = LIMITS): Promise<RunData> {
  const notes: string[] = [];
  const config = await readConfig(directory);
  const summary = await readSummary(join(directory, 'summary.json'), notes);
  const environment = await readEnvironment(join(directory, ENVIRONMENT_FILE));
  const metrics = await readMetrics(join(directory, 'metrics.jsonl'), notes);
  const { samples, total } = await readSamples(join(directory, 'samples.jsonl'), limits, notes);
  return {
    name: basename(await realpath(directory)),
    config,
    ...(summary && { summary }),
    ...(environment && { environment }),
    metrics,
    samples,
    samplesTotal: total,
    notes,
  };
}

async function readConfig(directory: string): Promise<Settings> {
  const file = join(directory, 'config.json');
  if (!existsSync(file)) {
    throw new UserError(
      `${directory} is not a run: it has no config.json. Name a run of \`cipo train\`; the newest is runs/latest.`,
      EXIT.usage,
    );
  }
  const value = parseJson(await readFile(file, 'utf8'));
  if (!isRecord(value)) throw new UserError(`${file} is damaged: expected a JSON object.`);
  return value;
}

/** Runs of older versions have no such file. */
async function readEnvironment(file: string): Promise<EnvironmentFile | undefined> {
  if (!existsSync(file)) return undefined;
  return environmentFile.safeParse(parseJson(await readFile(file, 'utf8'))).data;
}

async function readSummary(file: string, notes: string[]): Promise<SummaryFile | undefined> {
  if (!existsSync(file)) {
    notes.push('There is no summary.json: the run is not finished, or was interrupted.');
    return undefined;
  }
  const result = summaryFile.safeParse(parseJson(await readFile(file, 'utf8')));
  if (!result.success) notes.push('summary.json cannot be read: the results are not shown.');
  return result.data;
}

async function readMetrics(file: string, notes: string[]): Promise<RunData['metrics']> {
  const rows: Settings[] = [];
  await eachLine(file, notes, (value) => {
    const row = metricsLine.safeParse(value);
    if (row.success) rows.push(row.data);
    return row.success;
  });
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  const columns = [...names]
    .map((name) => [name, rows.map((row) => numberOrNull(row[name]))] as const)
    .filter(([, column]) => column.some((value) => value !== null));
  return Object.fromEntries(columns);
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Reads the file twice: first to count the samples of each step, then to take those of evenly spread steps. */
async function readSamples(
  file: string,
  limits: Limits,
  notes: string[],
): Promise<{ samples: SampleLine[]; total: number }> {
  const perStep = new Map<number, number>();
  await eachLine(file, notes, (value) => {
    const sample = sampleLine.safeParse(value);
    if (sample.success) perStep.set(sample.data.step, (perStep.get(sample.data.step) ?? 0) + 1);
    return sample.success;
  });
  const chosen = chooseSteps(perStep, limits.samples);
  const samples: SampleLine[] = [];
  await eachLine(file, [], (value) => {
    const sample = sampleLine.safeParse(value);
    if (sample.success && chosen.has(sample.data.step) && samples.length < limits.samples) {
      samples.push(clipSample(sample.data, limits.textChars));
    }
    return true;
  });
  return { samples, total: [...perStep.values()].reduce((sum, count) => sum + count, 0) };
}

/** Every n-th step, counted from the last, with the smallest n for which at most `max` samples are chosen. */
export function chooseSteps(perStep: ReadonlyMap<number, number>, max: number): Set<number> {
  const steps = [...perStep.keys()].sort((a, b) => b - a);
  for (let stride = 1; stride < steps.length; stride += 1) {
    const chosen = steps.filter((_, index) => index % stride === 0);
    const count = chosen.reduce((sum, step) => sum + (perStep.get(step) ?? 0), 0);
    if (count <= max) return new Set(chosen);
  }
  return new Set(steps.slice(0, 1));
}

function clipSample(sample: SampleLine, max: number): SampleLine {
  const clip = (text: string) =>
    text.length <= max ? text : `${text.slice(0, max)}\n… ${text.length - max} more characters`;
  const { anchor } = sample;
  return {
    ...sample,
    prompt: clip(sample.prompt),
    attempt: clip(sample.attempt),
    diagnostics: sample.diagnostics.map(clip),
    ...(anchor && {
      anchor: {
        ...anchor,
        attempt: clip(anchor.attempt),
        diagnosticsShown: anchor.diagnosticsShown.map(clip),
      },
    }),
  };
}

async function eachLine(
  file: string,
  notes: string[],
  take: (value: unknown) => boolean,
): Promise<void> {
  if (!existsSync(file)) {
    notes.push(`There is no ${basename(file)}.`);
    return;
  }
  let invalid = 0;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
    if (line !== '' && !take(parseJson(line))) invalid += 1;
  }
  if (invalid > 0) {
    notes.push(`${basename(file)}: skipped ${plural(invalid, 'line')} that cannot be read.`);
  }
}

/** undefined if the text is not JSON: the caller counts incomplete lines. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
