import { afterAll, describe, expect, it } from 'vitest';
import { f32, i32, sizeOf } from '../ops.ts';
import { caseArguments, opCases } from '../testing/cases.ts';
import { relativeError, runProgram } from '../testing/data.ts';
import { plain, ReferenceOps } from '../testing/reference.ts';
import { OnnxExecutor } from './onnx/executor.ts';
import { TfjsExecutor } from './tfjs/executor.ts';
import type { Program } from './types.ts';

const executors = [
  new OnnxExecutor({ threads: 1 }),
  await TfjsExecutor.create({ backend: 'cpu' }),
  await TfjsExecutor.create({ backend: 'wasm' }),
];
afterAll(() => Promise.all(executors.map((executor) => executor.close())));

describe.each(executors)('$description computes what the definition says', (executor) => {
  it.each(opCases)('$name', async (opCase) => {
    const arrays = caseArguments(opCase);
    const names = arrays.map((_, i) => `x${i}`);
    const reference = opCase.call(
      new ReferenceOps(),
      arrays.map((data, i) => plain(data, opCase.shapes[i]!)),
    );
    const program: Program = {
      name: opCase.name,
      inputs: Object.fromEntries(names.map((name, i) => [name, f32(...opCase.shapes[i]!)])),
      build: (ops, x) => ({
        y: opCase.call(
          ops,
          names.map((name) => x[name]!),
        ),
      }),
    };
    const inputs = Object.fromEntries(names.map((name, i) => [name, arrays[i]!]));
    const { y } = await runProgram(executor, program, inputs, { y: f32(...reference.shape) });
    expect(y).toHaveLength(sizeOf(reference.shape));
    expect(relativeError(y!, reference.data)).toBeLessThan(2e-6);
  });
});

it('onnx adds rows of equal id up with two threads as with one, for large vocabularies too', async () => {
  const executor = new OnnxExecutor({ threads: 2 });
  const [rows, width, vocabulary] = [4096, 256, 5000];
  const program: Program = {
    name: 'scatter',
    inputs: { x: f32(rows, width), ids: i32(rows) },
    build: (ops, { x, ids }) => ({ y: ops.scatterRows(x!, ids!, vocabulary) }),
  };
  const inputs = {
    x: new Float32Array(rows * width).fill(1),
    ids: Int32Array.from({ length: rows }, (_, i) => i % 4),
  };
  for (let i = 0; i < 5; i++) {
    const { y } = await runProgram(executor, program, inputs, { y: f32(vocabulary, width) });
    const sums = new Set(y!.subarray(0, 4 * width));
    expect([...sums]).toEqual([rows / 4]);
    expect(y!.subarray(4 * width).every((sum) => sum === 0)).toBe(true);
  }
  await executor.close();
});
