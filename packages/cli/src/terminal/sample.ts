/** One attempt, its verdict, what the policy was told, and its correction, for people. Pure; all guest text escaped. */
import type { SampleRecord } from '@cipo/trainer';
import sliceAnsi from 'slice-ansi';
import { oneLine, visibleLines } from './guest.ts';
import type { Style } from './style.ts';

const LABEL = 14;
const MOST_LINES = 8;

/**
 * What to show of a step: the first correction of a failed attempt of this kind, whatever became of it
 * (picking successes would flatter); else any correction, else any attempt.
 */
export function chooseSample(
  samples: readonly SampleRecord[],
  kind: string | undefined,
): SampleRecord | undefined {
  const ofKind = samples.filter((sample) => kind === undefined || sample.kind === kind);
  const pool = ofKind.length > 0 ? ofKind : samples;
  const corrections = pool.filter((sample) => sample.stream === 'correction');
  return corrections.find((sample) => sample.anchor?.passed === false) ?? corrections[0] ?? pool[0];
}

/** The kinds in the order they first appear. */
export function kindsOf(samples: readonly SampleRecord[]): string[] {
  return [...new Set(samples.map((sample) => sample.kind))];
}

/** Lines no wider than `columns`. `base` is an attempt at the same task, whose prompt is the bare one. */
export function sampleLines(
  record: SampleRecord,
  base: SampleRecord | undefined,
  columns: number,
  style: Style,
): string[] {
  const width = Math.max(30, columns - 1);
  const title = ` step ${record.step} · ${oneLine(record.kind)} `;
  const rule = style.dim(
    `──${title}${'─'.repeat(Math.max(0, Math.min(width, 76) - title.length - 2))}`,
  );
  const rows = [
    ...block('task', record.anchor ? (base?.prompt ?? record.prompt) : record.prompt, style),
    ...(record.anchor
      ? correctionRows(record, record.anchor, anchorStatus(record, base), style)
      : attemptRows(record, style)),
  ];
  return ['', rule, ...rows].map((line) => sliceAnsi(line, 0, width));
}

function attemptRows(record: SampleRecord, style: Style): string[] {
  return [
    ...block('attempt', record.attempt, style),
    verdictRow(record.passed, record.status, style),
    ...record.diagnostics.slice(0, 3).flatMap((line) => block('', line, style)),
  ];
}

function correctionRows(
  record: SampleRecord,
  anchor: NonNullable<SampleRecord['anchor']>,
  status: string,
  style: Style,
): string[] {
  return [
    ...block('attempt', anchor.attempt, style),
    verdictRow(anchor.passed, status, style),
    ...(anchor.passed ? [] : hintRows(anchor.diagnosticsShown, style)),
    ...block('correction', record.attempt, style),
    verdictRow(record.passed, record.status, style),
  ];
}

/** What the policy was told of its failure; right attempts never come with a hint. */
function hintRows(shown: readonly string[], style: Style): string[] {
  return shown.length === 0
    ? block('hint', style.dim('none given'), style, false)
    : block('hint', shown.join('\n'), style);
}

/** An anchor only says whether it passed; the attempt it came from says how it ended. */
function anchorStatus(record: SampleRecord, base: SampleRecord | undefined): string {
  return base?.attempt === record.anchor?.attempt && base ? base.status : 'wrong';
}

/** The attempt that a correction started from; else another attempt at the same task. */
export function baseOf(
  record: SampleRecord,
  samples: readonly SampleRecord[],
): SampleRecord | undefined {
  const bases = samples.filter((it) => it.stream === 'base' && it.taskId === record.taskId);
  return bases.find((it) => it.attempt === record.anchor?.attempt) ?? bases[0];
}

function verdictRow(passed: boolean | undefined, status: string, style: Style): string {
  const words = status.replaceAll('_', ' ');
  const text =
    passed === undefined
      ? style.yellow(`○ no judgement (${words})`)
      : passed
        ? style.green('✓ right')
        : style.red(`✗ ${words}`);
  return ' '.repeat(LABEL) + text;
}

function block(label: string, text: string, style: Style, guest = true): string[] {
  const lines = guest ? trimBlank(visibleLines(text)) : [text];
  const shown = lines.slice(0, MOST_LINES);
  if (lines.length > MOST_LINES) shown.push(style.dim(`… ${lines.length - MOST_LINES} more lines`));
  return shown.map(
    (line, index) => style.dim((index === 0 ? `  ${label}` : '').padEnd(LABEL)) + line,
  );
}

function trimBlank(lines: readonly string[]): readonly string[] {
  const kept = lines.filter((line) => line.trim() !== '');
  return kept.length === 0 ? ['(empty)'] : kept;
}
