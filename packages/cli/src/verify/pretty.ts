/** Formats a verdict row for people: one line, and the reasons of a failure. All guest text is escaped. Pure. */
import type { RowVerdict } from '@cipo/service';
import type { Diagnostic } from '@cipo/verifier/types';
import { clipLine, oneLine } from '../terminal/guest.ts';
import type { Style } from '../terminal/style.ts';

const MAX_DIAGNOSTICS = 3;
const MAX_LINE_CHARS = 160;
const MAX_ID_CHARS = 60;
const STATUS_WIDTH = 18;

/** @param response printed after a failure; only the end of a long one */
export function prettyVerdict(verdict: RowVerdict, response: unknown, style: Style): string {
  const { status, passed, cpuMs, wallMs } = verdict;
  const id = clipLine(oneLine(verdict.id), MAX_ID_CHARS);
  const mark = passed === null ? style.yellow('?') : passed ? style.green('✓') : style.red('✗');
  const times = passed === null ? '' : style.dim(`  ${formatMs(cpuMs)} CPU, ${formatMs(wallMs)}`);
  const head = `${mark} ${status.padEnd(STATUS_WIDTH)} ${style.bold(id)}${times}`;
  if (passed) return `${head}\n`;
  const reasons = verdict.diagnostics.filter((d) => !isRepeat(d, verdict.diagnostics));
  const lines = reasons.slice(0, MAX_DIAGNOSTICS).map((d) => `    ${diagnosticLine(d, style)}`);
  const more = reasons.length - MAX_DIAGNOSTICS;
  const rest = more > 0 ? [style.dim(`    and ${more} more`)] : [];
  return `${[head, ...lines, ...rest, ...responseLine(response, style)].join('\n')}\n`;
}

/** The policy is told less about a hidden test than the operator: its shorter diagnostic is not printed twice. */
function isRepeat(one: Diagnostic, all: readonly Diagnostic[]): boolean {
  const isShortened = one.audience === 'policy' && one.details === undefined;
  return isShortened && all.some((d) => d.audience === 'operator' && d.code === one.code);
}

function diagnosticLine({ code, message, details, at }: Diagnostic, style: Style): string {
  const input = typeof details?.input === 'string' ? ` for ${oneLine(details.input)}` : '';
  const place = at ? ` (line ${at.line})` : '';
  const text = clipLine(oneLine(message) + input, MAX_LINE_CHARS);
  return `${style.dim(`${oneLine(code)}:`)} ${text}${place}`;
}

function responseLine(response: unknown, style: Style): string[] {
  if (typeof response !== 'string' || response.trim() === '') return [];
  const text = oneLine(response.trim().slice(-2 * MAX_LINE_CHARS));
  const tail = text.length > MAX_LINE_CHARS ? `…${text.slice(1 - MAX_LINE_CHARS)}` : text;
  return [`    ${style.dim('response:')} ${tail}`];
}

function formatMs(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`;
}
