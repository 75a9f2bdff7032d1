/** Tests of the files in integrations/ that need no Python packages. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const BLOCK =
  /^# --- begin: copy of integrations\/client\.py ---$.*^# --- end: copy of integrations\/client\.py ---$/ms;

function blockOf(file: string): string | undefined {
  const source = readFileSync(new URL(`../integrations/${file}`, import.meta.url), 'utf8');
  return BLOCK.exec(source)?.[0];
}

test.each(['trl/cipo_trl.py', 'verl/cipo_verl.py', 'verifiers/cipo_verifiers.py'])(
  'integrations/%s contains the client of integrations/client.py unchanged',
  (file) => {
    expect(blockOf('client.py')).toContain('def judge(');
    expect(blockOf(file)).toBe(blockOf('client.py'));
  },
);
