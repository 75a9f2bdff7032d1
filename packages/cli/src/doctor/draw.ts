/** Formats the findings of the doctor. Pure. */
import { oneLine } from '../terminal/guest.ts';
import type { Style } from '../terminal/style.ts';
import type { Finding } from './examine.ts';

/** One line per finding, grouped by area, and a conclusion. */
export function findingLines(findings: readonly Finding[], style: Style): string[] {
  return [...areaLines(findings, style), '', conclusion(findings, style)];
}

function conclusion(findings: readonly Finding[], style: Style): string {
  const missing = findings.filter((finding) => finding.needed && !finding.ok);
  if (missing.length === 0) {
    return style.green('Everything that training needs works on this machine.');
  }
  const names = missing.map((finding) => finding.name).join(', ');
  return style.red(`Training does not work on this machine until this works: ${names}.`);
}

function areaLines(findings: readonly Finding[], style: Style): string[] {
  const width = Math.max(...findings.map((finding) => finding.name.length)) + 2;
  return Object.entries(Object.groupBy(findings, (finding) => finding.area)).flatMap(
    ([area, group], index) => [
      ...(index === 0 ? [] : ['']),
      style.bold(area),
      ...(group ?? []).map((finding) => findingLine(finding, width, style)),
    ],
  );
}

function findingLine({ name, ok, needed, detail }: Finding, width: number, style: Style): string {
  const mark = ok ? style.green('✓') : needed ? style.red('✗') : style.yellow('–');
  return `  ${mark} ${name.padEnd(width)}${ok ? oneLine(detail) : style.dim(oneLine(detail))}`;
}
