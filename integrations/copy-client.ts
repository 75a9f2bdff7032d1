/** Copies the block of client.py into each integration. Usage: `node integrations/copy-client.ts` */
import { readFileSync, writeFileSync } from 'node:fs';

const BLOCK =
  /^# --- begin: copy of integrations\/client\.py ---$.*^# --- end: copy of integrations\/client\.py ---$/ms;

const block = BLOCK.exec(read('client.py'))?.[0];
if (block === undefined) throw new Error('client.py: expected a block with begin and end marks');
for (const file of ['trl/cipo_trl.py', 'verl/cipo_verl.py', 'verifiers/cipo_verifiers.py']) {
  writeFileSync(
    urlOf(file),
    read(file).replace(BLOCK, () => block),
  );
}

function read(file: string): string {
  return readFileSync(urlOf(file), 'utf8');
}

function urlOf(file: string): URL {
  return new URL(file, import.meta.url);
}
