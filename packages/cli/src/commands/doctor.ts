/** `cipo doctor`: reports what works on this machine, what does not, and why. */
import { Command } from 'commander';
import { EXIT } from '../errors.ts';
import { styleOf } from '../terminal/style.ts';

const EXAMPLES = `
Examples:
  $ cipo doctor
  $ cipo doctor --json > machine.json`;

export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('report what works on this machine, and why the rest does not')
    .description(
      'Checks Node, cores, memory, every executor and its backends, and judges known responses in mathematics and code.\nExit code 1 if a judge, the warm start or the installed default executor does not work. An executor that is not installed is no failure: verify and serve do not need one.',
    )
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json }: { readonly json?: boolean }) => {
      const { examine } = await import('../doctor/examine.ts');
      const { findingLines } = await import('../doctor/draw.ts');
      const findings = await examine();
      const text = json
        ? JSON.stringify(findings, null, 2)
        : findingLines(findings, styleOf(process.stdout)).join('\n');
      process.stdout.write(`${text}\n`);
      const isUsable = findings.every((finding) => finding.ok || !finding.needed);
      process.exitCode = isUsable ? EXIT.ok : EXIT.failure;
    });
}
