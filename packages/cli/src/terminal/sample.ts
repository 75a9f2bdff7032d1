/** Formats one attempt, its verdict, the diagnostics, the correction and its verdict. Pure; all guest text is escaped. */
import type { SampleRecord } from '@cipo/trainer';
import sliceAnsi from 'slice-ansi';
import { oneLine, visibleLines } from './guest.ts';
import type { Style } from './style.ts';

const LABEL_CHARS = 14;
const MAX_LINES = 8;
const MAX_DIAGNOSTICS = 3;

/**
 * Chooses what to show of a step: the first correction of an incorrect attempt of this kind, whatever its verdict
 * (choosing successes would give a wrong picture); otherwise any correction, otherwise any attempt.
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

/** Lines no wider than `columns`. @param base an attempt at the same task: its prompt is the plain task */
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
    ...record.diagnostics.slice(0, MAX_DIAGNOSTICS).flatMap((line) => block('', line, style)),
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
    ...(anchor.passed ? [] : diagnosticsRows(anchor.diagnosticsShown, style)),
    ...block('correction', record.attempt, style),
    verdictRow(record.passed, record.status, style),
  ];
}

/** The diagnostics that the correction prompt showed. A correct attempt has none. */
function diagnosticsRows(shown: readonly string[], style: Style): string[] {
  return shown.length === 0
    ? block('diagnostics', style.dim('none given'), style, false)
    : block('diagnostics', shown.join('\n'), style);
}

/** An anchor only has `passed`; the attempt that it came from has the status. */
function anchorStatus(record: SampleRecord, base: SampleRecord | undefined): string {
  return base?.attempt === record.anchor?.attempt && base ? base.status : 'incorrect';
}

/** The attempt that a correction started from, otherwise another attempt at the same task. */
export function findBase(
  record: SampleRecord,
  samples: readonly SampleRecord[],
): SampleRecord | undefined {
  const bases = samples.filter((it) => it.stream === 'base' && it.taskId === record.taskId);
  return bases.find((it) => it.attempt === record.anchor?.attempt) ?? bases[0];
}

function verdictRow(passed: boolean | undefined, status: string, style: Style): string {
  const text =
    passed === undefined
      ? style.yellow('○ no judgement')
      : passed
        ? style.green('✓ correct')
        : style.red(`✗ ${status.replaceAll('_', ' ')}`);
  return ' '.repeat(LABEL_CHARS) + text;
}

function block(label: string, text: string, style: Style, isGuestText = true): string[] {
  const lines = isGuestText ? dropBlankLines(visibleLines(text)) : [text];
  const shown = lines.slice(0, MAX_LINES);
  if (lines.length > MAX_LINES) shown.push(style.dim(`… ${lines.length - MAX_LINES} more lines`));
  return shown.map(
    (line, index) => style.dim((index === 0 ? `  ${label}` : '').padEnd(LABEL_CHARS)) + line,
  );
}

function dropBlankLines(lines: readonly string[]): readonly string[] {
  const rest = lines.filter((line) => line.trim() !== '');
  return rest.length === 0 ? ['(empty)'] : rest;
}
