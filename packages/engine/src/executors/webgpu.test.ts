/** Errors of a WebGPU device are thrown, where the libraries by themselves would go on with garbage. */

import { expect, test } from 'vitest';
import { f32 } from '../ops.ts';
import { available } from '../testing/backends.ts';
import { DeviceMemory, programSession } from './onnx/device.ts';
import { OUTPUT_PREFIX } from './onnx/model.ts';
import { OnnxOps } from './onnx/ops.ts';
import { findBackend } from './tfjs/backends.ts';
import type { Program } from './types.ts';

function has(executor: string) {
  return available.some((place) => place.executor === executor && place.backend === 'webgpu');
}
const numbers = f32(4);
const sum: Program = {
  name: 'sum',
  inputs: { x: numbers, y: numbers },
  build: (ops, { x, y }) => ({ z: ops.add(x!, y!) }),
};

test.skipIf(!has('onnx'))(
  'onnx webgpu refuses a run that writes a buffer that it reads',
  async () => {
    const memory = new DeviceMemory();
    await memory.start();
    const [x, y] = [await memory.take(numbers), await memory.take(numbers)];
    const session = await programSession(sum);
    await expect(session.run({ x, y }, { [`${OUTPUT_PREFIX}z`]: x })).rejects.toThrow(/WebGPU/);
    await session.release();
    for (const tensor of [x, y]) tensor.dispose();
    await memory.close();
  },
);

test.skipIf(!has('onnx'))('onnx webgpu names the operators that its provider lacks', async () => {
  const product: Program = {
    name: 'a product with flags',
    inputs: { a: f32(2, 3), b: f32(4, 3) },
    build: (ops, { a, b }) => ({ c: ops.neg(ops.matmul(a!, b!, { transposeB: true })) }),
  };
  const onCpu = programSession(product, {}, (graph) => new OnnxOps(graph));
  await expect(onCpu).rejects.toThrow(
    "a product with flags: onnxruntime's WebGPU provider has no FusedMatMul(f32, f32)",
  );
  await (await programSession(product)).release();
});

test.skipIf(!has('tfjs'))('tfjs webgpu reports a shader that does not compile', async () => {
  const { tf, watch } = await findBackend('webgpu');
  const { device } = Object(tf!.backend());
  await watch!(() =>
    device.createShaderModule({ code: '@compute @workgroup_size(1) fn main() {}' }),
  );
  const wrong = () => device.createShaderModule({ code: 'fn main() { nonsense; }' });
  await expect(watch!(wrong)).rejects.toThrow(/^WebGPU: .*nonsense/s);
});
