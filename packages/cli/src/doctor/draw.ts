/** Findings of the doctor as lines. Pure. */
import { oneLine } from '../terminal/guest.ts';
import type { Style } from '../terminal/style.ts';
import type { Finding } from './examine.ts';

export function findingLines(findings: readonly Finding[], style: Style): string[] {
  return [...areaLines(findings, style), '', verdict(findings, style)];
}

function verdict(findings: readonly Finding[], style: Style): string {
  const missing = findings.filter((finding) => finding.needed && !finding.ok);
  if (missing.length === 0) return style.green('All that training needs works here.');
  const names = missing.map((finding) => finding.name).join(', ');
  return style.red(`Training will not work here before this does: ${names}.`);
}

function areaLines(findings: readonly Finding[], style: Style): string[] {
  const width = Math.max(...findings.map((finding) => finding.name.length)) + 2;
  return Object.entries(Object.groupBy(findings, (finding) => finding.area)).flatMap(
    ([area, group], index) => [
      ...(index === 0 ? [] : ['']),
      style.bold(area),
      ...(group ?? []).map((finding) => line(finding, width, style)),
    ],
  );
}

function line({ name, ok, needed, detail }: Finding, width: number, style: Style): string {
  const mark = ok ? style.green('✓') : needed ? style.red('✗') : style.yellow('–');
  return `  ${mark} ${name.padEnd(width)}${ok ? oneLine(detail) : style.dim(oneLine(detail))}`;
}
