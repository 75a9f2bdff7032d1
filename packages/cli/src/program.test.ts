import { expect, test } from 'vitest';
import { createProgram } from './program.ts';

test('the help of every command has examples', () => {
  const all = createProgram().commands.flatMap((command) => [command, ...command.commands]);
  for (const command of all.filter((one) => one.name() !== 'version')) {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect(help, command.name()).toContain('Examples:');
  }
});
