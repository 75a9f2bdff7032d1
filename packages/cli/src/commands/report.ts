/** `cipo report`: writes the report.html of a run again, from the files of the run. */
import { join } from 'node:path';
import { Command } from 'commander';
import { RUNS } from '../run/folder.ts';
import { shortPath } from '../terminal/lines.ts';

const EXAMPLES = `
Examples:
  $ cipo report                                    the newest run
  $ cipo report runs/cipo-s1-20261123-0412

An unfinished run has a report too: it shows what the run has written so far.`;

export function reportCommand(): Command {
  return new Command('report')
    .summary('write the report.html of a run again')
    .description(
      'Writes report.html into the folder of a run: curves, results, and a browser of attempts and corrections.\nIt is one file and loads nothing from the network.',
    )
    .argument('[run]', 'folder of the run', join(RUNS, 'latest'))
    .addHelpText('after', EXAMPLES)
    .action(async (directory: string) => {
      const { writeReport } = await import('../report/write.ts');
      process.stdout.write(`${shortPath(await writeReport(directory))}\n`);
    });
}
