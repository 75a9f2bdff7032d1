/** Formats a comparison of presets as a Markdown page: command, machine, results, single runs. Pure. */
import type { Arm, Estimate, TrainConfig } from '@cipo/trainer';
import { formatCount } from '../terminal/format.ts';
import { measures } from '../terminal/table.ts';

interface ComparisonFacts {
  readonly arms: readonly Arm[];
  /** The configuration of the first run. */
  readonly config: TrainConfig;
  readonly command: string;
  readonly machine: string;
  readonly date: string;
}

export function comparisonPage({ arms, config, command, machine, date }: ComparisonFacts): string {
  const [base] = arms;
  if (!base) throw new RangeError('expected at least one preset, got none');
  const names = measures(config.evaluation.samples);
  const seeds = base.runs.map((r) => r.seed);
  return [
    `# ${arms.map((a) => a.preset).join(' against ')} at equal generated tokens`,
    '',
    `${date}, ${machine}.`,
    '',
    '<!-- not run: takes minutes -->',
    '```sh',
    command,
    '```',
    '',
    `Seeds ${seeds.join(', ')}. Every run ends with the step that reaches ${formatCount(config.maxGeneratedTokens ?? 0)} generated tokens, counting both streams. Evaluated on the same ${config.evaluation.tasks} held-out tasks with ${config.evaluation.samples} samples each. Brackets: 95 % bootstrap interval over tasks, of the mean over seeds. Differences are paired by task; **bold**: the interval excludes zero.`,
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
    formatEstimate(base!.before[key]),
    ...arms.map((a) => formatEstimate(a.after[key])),
    ...others.map((a) => formatDifference(a.difference[key])),
  ]);
  return markdownTable(head, rows);
}

function runTable(arms: readonly Arm[], names: ReturnType<typeof measures>): string[] {
  const rows = arms.flatMap((arm) =>
    arm.runs.map((r) => [
      arm.preset,
      String(r.seed),
      String(r.steps),
      formatCount(r.generatedTokens),
      `${Math.round(r.wallSeconds)} s`,
      ...names.map(([key]) => (r.after ? formatShare(r.after[key]) : 'none')),
    ]),
  );
  const head = ['preset', 'seed', 'steps', 'tokens', 'time', ...names.map(([, name]) => name)];
  return markdownTable(head, rows);
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function formatShare(share: number): string {
  return Number.isFinite(share) ? (100 * share).toFixed(1) : 'none';
}

function formatEstimate({ mean, low, high }: Estimate): string {
  return `${formatShare(mean)} [${formatShare(low)}, ${formatShare(high)}]`;
}

function formatDifference(estimate: Estimate): string {
  const text = `${estimate.mean > 0 ? '+' : ''}${formatEstimate(estimate)}`;
  return estimate.low > 0 || estimate.high < 0 ? `**${text}**` : text;
}
