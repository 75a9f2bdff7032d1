/** Assembles guest/python/restore.wat; run as a script it writes restore.wasm beside it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openWabt from 'wabt';

const SOURCE = new URL('../guest/python/restore.wat', import.meta.url);
export const BUILT = new URL('../guest/python/restore.wasm', import.meta.url);

export async function buildRestore(): Promise<Uint8Array> {
  const wabt = await openWabt();
  const features = { simd: true, multi_memory: true, bulk_memory: true };
  const module = wabt.parseWat('restore.wat', readFileSync(SOURCE, 'utf8'), features);
  return module.toBinary({}).buffer;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(BUILT, await buildRestore());
