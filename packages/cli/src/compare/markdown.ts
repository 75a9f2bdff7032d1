/** A comparison of presets as a Markdown page: what was run, on what, and how it fell. Pure. */
import type { Arm, Estimate, TrainConfig } from '@cipo/trainer';
import { whole } from '../terminal/format.ts';
import { measures } from '../terminal/table.ts';

export interface ComparisonFacts {
  readonly arms: readonly Arm[];
  /** Of the first run. */
  readonly config: TrainConfig;
  readonly command: string;
  readonly machine: string;
  readonly date: string;
}

export function comparisonPage({ arms, config, command, machine, date }: ComparisonFacts): string {
  const [base] = arms;
  if (!base) throw new Error('a comparison needs at least one preset');
  const names = measures(config.evaluation.samples);
  const seeds = base.runs.map((r) => r.seed);
  return [
    `# ${arms.map((a) => a.preset).join(' against ')} at equal generated tokens`,
    '',
    `${date}, ${machine}.`,
    '',
    '```sh',
    command,
    '```',
    '',
    `Seeds ${seeds.join(', ')}. Every run ends with the step that passes ${whole(config.maxGeneratedTokens ?? 0)} generated tokens, both streams counted. Measured on the same ${config.evaluation.tasks} held-out tasks with ${config.evaluation.samples} samples each. Brackets: 95 % bootstrap interval over tasks, of the mean over seeds. Differences are paired by task; **bold** where their interval leaves out zero.`,
    '',
    ...measureTable(arms, names),
    '',
    '## Single runs',
    '',
    ...runTable(arms, names),
    '',
  ].join('\n');
}

function measureTable(arms: readonly Arm[], names: ReturnType<typeof measures>): string[] {
  const [base, ...others] = arms;
  const head = [
    '',
    'warm start',
    ...arms.map((a) => a.preset),
    ...others.map((a) => `${a.preset} − ${base!.preset}`),
  ];
  const rows = names.map(([key, name]) => [
    name,
    share(base!.before[key]),
    ...arms.map((a) => share(a.after[key])),
    ...others.map((a) => difference(a.difference[key])),
  ]);
  return table(head, rows);
}

function runTable(arms: readonly Arm[], names: ReturnType<typeof measures>): string[] {
  const rows = arms.flatMap((arm) =>
    arm.runs.map((r) => [
      arm.preset,
      String(r.seed),
      String(r.steps),
      whole(r.generatedTokens),
      `${Math.round(r.wallSeconds)} s`,
      ...names.map(([key]) => (r.after ? percent(r.after[key]) : 'none')),
    ]),
  );
  const head = ['preset', 'seed', 'steps', 'tokens', 'time', ...names.map(([, name]) => name)];
  return table(head, rows);
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);

const percent = (x: number) => (Number.isFinite(x) ? (100 * x).toFixed(1) : 'none');
const share = (e: Estimate) => `${percent(e.mean)} [${percent(e.low)}, ${percent(e.high)}]`;

function difference(e: Estimate): string {
  const text = `${e.mean > 0 ? '+' : ''}${share(e)}`;
  return e.low > 0 || e.high < 0 ? `**${text}**` : text;
}
