/**
 * Reads a run folder for its report. A run that was cut off has no summary and perhaps half a last line:
 * what is whole is shown, what is not is counted. Leaves out: drawing.
 */
import { createReadStream, existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { isSettings, type Settings } from '../config/layers.ts';
import { EXIT, UserError } from '../errors.ts';
import {
  metricsLine,
  type SampleLine,
  type SummaryFile,
  sampleLine,
  summaryFile,
} from './schemas.ts';

/** Budgets that keep the file quick to open. */
export interface Limits {
  readonly samples: number;
  readonly textCharacters: number;
}

export const LIMITS: Limits = { samples: 3_000, textCharacters: 4_000 };

export interface RunData {
  readonly name: string;
  readonly config: Settings;
  readonly summary?: SummaryFile;
  /** Column per metric, `step` among them; null where a step did not have it. */
  readonly metrics: Readonly<Record<string, readonly (number | null)[]>>;
  readonly samples: readonly SampleLine[];
  /** All samples in the file, of which `samples` are a part. */
  readonly samplesTotal: number;
  /** What could not be read, in words. */
  readonly notes: readonly string[];
}

/** @throws {UserError} the folder is not one of a run. */
export async function readRun(directory: string, limits: Limits = LIMITS): Promise<RunData> {
  const notes: string[] = [];
  const config = await readConfig(directory);
  const summary = await readSummary(join(directory, 'summary.json'), notes);
  const metrics = await readMetrics(join(directory, 'metrics.jsonl'), notes);
  const { samples, total } = await readSamples(join(directory, 'samples.jsonl'), limits, notes);
  return {
    name: basename(await realpath(directory)),
    config,
    ...(summary && { summary }),
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
      `${directory} is not a run folder: it has no config.json. Runs are made by \`cipo train\`; the newest is runs/latest.`,
      EXIT.usage,
    );
  }
  const value = parsed(await readFile(file, 'utf8'));
  if (!isSettings(value)) throw new UserError(`${file} is damaged: it is not a JSON object.`);
  return value;
}

async function readSummary(file: string, notes: string[]): Promise<SummaryFile | undefined> {
  if (!existsSync(file)) {
    notes.push('There is no summary.json: the run has not finished, or was cut off.');
    return undefined;
  }
  const result = summaryFile.safeParse(parsed(await readFile(file, 'utf8')));
  if (!result.success) notes.push('summary.json cannot be read: the results are left out.');
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

/** Two passes: which steps there are, then the samples of as many of them, evenly spread, as there is room for. */
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
      samples.push(clipped(sample.data, limits.textCharacters));
    }
    return true;
  });
  return { samples, total: [...perStep.values()].reduce((sum, count) => sum + count, 0) };
}

/** Every n-th step counted from the last, the least n whose samples fit. */
export function chooseSteps(perStep: ReadonlyMap<number, number>, room: number): Set<number> {
  const steps = [...perStep.keys()].sort((a, b) => b - a);
  for (let stride = 1; stride < steps.length; stride += 1) {
    const kept = steps.filter((_, index) => index % stride === 0);
    const count = kept.reduce((sum, step) => sum + (perStep.get(step) ?? 0), 0);
    if (count <= room) return new Set(kept);
  }
  return new Set(steps.slice(0, 1));
}

function clipped(sample: SampleLine, most: number): SampleLine {
  const clip = (text: string) =>
    text.length <= most ? text : `${text.slice(0, most)}\n… ${text.length - most} more characters`;
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
  let refused = 0;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
    if (line !== '' && !take(parsed(line))) refused += 1;
  }
  if (refused > 0) notes.push(`${refused} unreadable line(s) of ${basename(file)} are left out.`);
}

/** undefined where the text is not JSON: a cut-off line is counted by the caller. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
