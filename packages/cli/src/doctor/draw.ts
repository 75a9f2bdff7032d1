/** Findings of the doctor as lines. Pure. */
import { oneLine } from '../terminal/guest.ts';
import type { Style } from '../terminal/style.ts';
import type { Finding } from './examine.ts';

export function findingLines(findings: readonly Finding[], style: Style): string[] {
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
