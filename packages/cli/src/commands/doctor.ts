/** `cipo doctor`: what works on this machine and what does not, and why. */
import { Command } from 'commander';
import { EXIT } from '../errors.ts';
import { styleOf } from '../terminal/style.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('what works on this machine, and why not the rest')
    .description(
      'Looks at Node, cores and memory, at every executor and its backends, and has one answer in mathematics and\none program really judged. Exit code 1 where something that training needs does not work.',
    )
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const { examine, needed } = await import('../doctor/examine.ts');
      const { findingLines } = await import('../doctor/draw.ts');
      const findings = await examine();
      const text = json
        ? JSON.stringify(findings, null, 2)
        : findingLines(findings, styleOf(process.stdout)).join('\n');
      process.stdout.write(`${text}\n`);
      process.exitCode = needed(findings).every((it) => it.ok) ? EXIT.ok : EXIT.failure;
    });
}
