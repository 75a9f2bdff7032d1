/** Assembles all commands of `cipo`. Leaves out: what they do, which is one file per command in commands/. */
import { Command } from 'commander';
import { compareCommand } from './commands/compare.ts';
import { convertCommand } from './commands/convert.ts';
import { doctorCommand } from './commands/doctor.ts';
import { domainCommand } from './commands/domain.ts';
import { evalCommand } from './commands/eval.ts';
import { pretrainCommand } from './commands/pretrain.ts';
import { pullCommand } from './commands/pull.ts';
import { reportCommand } from './commands/report.ts';
import { sampleCommand } from './commands/sample.ts';
import { serveCommand } from './commands/serve.ts';
import { trainCommand } from './commands/train.ts';
import { verifyCommand } from './commands/verify.ts';
import { versionCommand } from './commands/version.ts';
import { readVersion } from './version.ts';

const OVERVIEW = `
Start here:
  $ cipo doctor                      check what works on this machine
  $ cipo train                       train the shipped policy, a few minutes
  $ cipo train --preset grpo         the same without corrections, to compare
  $ cipo report runs/latest          write the report.html of the newest run again
  $ cipo verify outputs.jsonl        judge responses in a file
  $ cipo serve                       judge over HTTP, for trainers in any language

In a clone of the repository, type npx cipo instead of cipo.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 stopped by Ctrl-C.`;

/** Creates the program. It throws CommanderError instead of ending the process. */
export function createProgram(): Command {
  const program = new Command('cipo')
    .description('Verifies what language models write, and trains models on the verdicts.')
    .version(readVersion(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', OVERVIEW);
  const commands = [
    trainCommand(),
    evalCommand(),
    sampleCommand(),
    verifyCommand(),
    compareCommand(),
    pretrainCommand(),
    pullCommand(),
    convertCommand(),
    reportCommand(),
    serveCommand(),
    domainCommand(),
    doctorCommand(),
    versionCommand(),
  ];
  for (const command of commands) {
    for (const inner of [command, ...command.commands]) {
      inner
        .option('--debug', 'print the stack trace of an error')
        .helpOption('-h, --help', 'print this help');
    }
    program.addCommand(command);
  }
  for (const command of [program, ...commands, ...commands.flatMap((it) => it.commands)]) {
    command
      .exitOverride()
      .showHelpAfterError(`(${nameOf(command, program)} --help shows the usage)`);
  }
  return program;
}

function nameOf(command: Command, program: Command): string {
  return command === program ? 'cipo' : `cipo ${command.name()}`;
}
