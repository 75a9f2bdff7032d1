/** A verdict row for people: one line, and why it failed. Everything a guest wrote is escaped. Pure. */
import type { RowVerdict } from '@cipo/service';
import type { Diagnostic } from '@cipo/verifier/types';
import { oneLine } from '../terminal/guest.ts';
import type { Style } from '../terminal/style.ts';

const MAX_DIAGNOSTICS = 3;
const MAX_WIDTH = 160;
const STATUS_WIDTH = 18;

/** @param response shown beside a failure, its last part where it is long */
export function prettyVerdict(verdict: RowVerdict, response: unknown, style: Style): string {
  const { id, status, passed, cpuMs, wallMs } = verdict;
  const mark = passed === null ? style.yellow('?') : passed ? style.green('✓') : style.red('✗');
  const times = passed === null ? '' : style.dim(`  ${ms(cpuMs)} CPU, ${ms(wallMs)}`);
  const head = `${mark} ${status.padEnd(STATUS_WIDTH)} ${style.bold(cut(oneLine(id), 60))}${times}`;
  if (passed) return `${head}\n`;
  const said = verdict.diagnostics.filter((d) => !isRepeat(d, verdict.diagnostics));
  const found = said.slice(0, MAX_DIAGNOSTICS).map((d) => `    ${words(d, style)}`);
  const more = said.length - MAX_DIAGNOSTICS;
  const rest = more > 0 ? [style.dim(`    and ${more} more`)] : [];
  return `${[head, ...found, ...rest, ...answer(response, style)].join('\n')}\n`;
}

/** What the policy may know of a hidden test is less than what the operator reads above it. */
function isRepeat(one: Diagnostic, all: readonly Diagnostic[]): boolean {
  const isVeiled = one.audience === 'policy' && one.details === undefined;
  return isVeiled && all.some((d) => d.audience === 'operator' && d.code === one.code);
}

function words({ code, message, details, at }: Diagnostic, style: Style): string {
  const input = typeof details?.input === 'string' ? ` for ${oneLine(details.input)}` : '';
  const place = at ? ` (line ${at.line})` : '';
  return `${style.dim(`${oneLine(code)}:`)} ${cut(oneLine(message) + input, MAX_WIDTH)}${place}`;
}

function answer(response: unknown, style: Style): string[] {
  if (typeof response !== 'string' || response.trim() === '') return [];
  const text = oneLine(response.trim().slice(-2 * MAX_WIDTH));
  const tail = text.length > MAX_WIDTH ? `…${text.slice(1 - MAX_WIDTH)}` : text;
  return [`    ${style.dim('response:')} ${tail}`];
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

const ms = (value: number) =>
  value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`;
