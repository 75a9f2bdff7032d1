import { afterAll, describe, expect, it } from 'vitest';
import { f32, sizeOf } from '../ops.ts';
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
