/** `cipo report`: makes report.html of a run again, from its files. */
import { join } from 'node:path';
import { Command } from 'commander';
import { RUNS } from '../run/folder.ts';
import { here } from '../terminal/lines.ts';

const EXAMPLES = `
Examples:
  $ cipo report                    the newest run
  $ cipo report runs/cipo-s1-20261123-0412

Works on unfinished runs too: what is there is shown.`;

export function reportCommand(): Command {
  return new Command('report')
    .summary("make a run's report.html again")
    .description(
      'Writes report.html into the folder of a run: curves, results, and a browser of attempts and corrections.\nOne file, which loads nothing from the network.',
    )
    .argument('[run]', 'folder of the run', join(RUNS, 'latest'))
    .addHelpText('after', EXAMPLES)
    .action(async (directory: string) => {
      const { writeReport } = await import('../report/write.ts');
      process.stdout.write(`${here(await writeReport(directory))}\n`);
    });
}
