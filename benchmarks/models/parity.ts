/**
 * Compares every model family with PyTorch on every available executor: the maximum difference over the maximum value,
 * for logits and for the gradient that differs most. Usage: node benchmarks/models/parity.ts
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BACKENDS_OF, openExecutor } from '../../packages/engine/src/executors/open.ts';
import { loadLocalEngine } from '../../packages/engine/src/index.ts';
import { relativeError } from '../../packages/engine/src/testing/data.ts';
import { logitsOf } from '../../packages/engine/src/testing/logits.ts';
import { readModel } from '../../packages/engine/src/weights/checkpoint.ts';
import { readSafetensors } from '../../packages/engine/src/weights/safetensors.ts';
import { printTable } from '../engine/common.ts';

const root = fileURLToPath(new URL('../../datasets/models/fixtures/parity', import.meta.url));
function figure(x: number) {
  return x.toExponential(1);
}

interface Place {
  readonly executor: 'onnx' | 'tfjs';
  readonly backend: string;
}
const all = (['onnx', 'tfjs'] as const).flatMap((executor) =>
  BACKENDS_OF[executor].map((backend): Place => ({ executor, backend })),
);
const available: Place[] = [];
for (const place of all)
  await openExecutor({ ...place, threads: 1 }).then(
    async (executor) => {
      available.push(place);
      await executor.close();
    },
    (error: Error) => console.log(`${place.executor} ${place.backend}: not here, ${error.message}`),
  );

async function compare(name: string, where: Place) {
  const { tensors } = await readSafetensors(join(root, name, 'expected.safetensors'));
  const [batch, length] = tensors.tokens!.shape;
  const tokens = Int32Array.from(tensors.tokens!.data);
  const executor = await openExecutor({ ...where, threads: 1 });
  const logits = await logitsOf(executor, await readModel(join(root, name)), tokens, length!);
  await executor.close();
  const engine = await loadLocalEngine(join(root, name), { ...where, threads: 1 });
  const weights = (t: number) => (t === 0 ? 0 : tensors.weights!.data[t - 1]! / batch!);
  const data = Array.from({ length: batch! }, (_, b) => ({
    tokens: tokens.slice(b * length!, (b + 1) * length!),
    weights: Float32Array.from({ length: length! }, (__, t) => weights(t)),
  }));
  await engine.forwardBackward(data, { kind: 'cross_entropy' });
  const gradients = Object.entries(await engine.gradientsSnapshot());
  await engine.close();
  const errors = gradients.map(([key, g]) => relativeError(g, tensors[`grad.${key}`]!.data));
  return [figure(relativeError(logits, tensors.logits!.data)), figure(Math.max(...errors))];
}

const rows: string[][] = [];
for (const name of readdirSync(root)) {
  const row = [name];
  for (const where of available) row.push((await compare(name, where)).join(' / '));
  rows.push(row);
}
printTable(
  ['logits / gradients', ...available.map(({ executor, backend }) => `${executor} ${backend}`)],
  rows,
);
