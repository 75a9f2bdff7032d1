/** Assembles kernels/adamw.wat; run as a script it writes adamw.wasm beside it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openWabt from 'wabt';

const SOURCE = new URL('../kernels/adamw.wat', import.meta.url);
export const BUILT = new URL('../kernels/adamw.wasm', import.meta.url);

export async function buildKernels(): Promise<Uint8Array> {
  const wabt = await openWabt();
  const features = { simd: true, multi_memory: true };
  const module = wabt.parseWat('adamw.wat', readFileSync(SOURCE, 'utf8'), features);
  return module.toBinary({}).buffer;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(BUILT, await buildKernels());
