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
  if (missing.length > 0) {
    const names = missing.map((finding) => finding.name).join(', ');
    const broken = missing.some((finding) => finding.area === 'judges')
      ? 'Verdicts and training do'
      : 'Training does';
    return style.red(`${broken} not work on this machine until this works: ${names}.`);
  }
  const executor = findings.find((finding) => finding.isDefault);
  if (executor?.install !== undefined) {
    return style.yellow(`Verdicts work. Training needs an executor: ${executor.install}`);
  }
  return style.green('Verdicts and training work on this machine.');
}

function areaLines(findings: readonly Finding[], style: Style): string[] {
  const width = Math.max(...findings.map((finding) => labelOf(finding).length)) + 2;
  return Object.entries(Object.groupBy(findings, (finding) => finding.area)).flatMap(
    ([area, group], index) => [
      ...(index === 0 ? [] : ['']),
      style.bold(area),
      ...(group ?? []).map((finding) => findingLine(finding, width, style)),
    ],
  );
}

function labelOf({ name, isDefault }: Finding): string {
  return isDefault ? `${name} (default)` : name;
}

function findingLine(finding: Finding, width: number, style: Style): string {
  const { ok, needed, detail } = finding;
  const mark = ok ? style.green('✓') : needed ? style.red('✗') : style.yellow('–');
  return `  ${mark} ${labelOf(finding).padEnd(width)}${ok ? oneLine(detail) : style.dim(oneLine(detail))}`;
}
