/** What every backend owes: the operations by their definition, and memory that keeps what runs wrote. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { f32, i32, sizeOf } from '../ops.ts';
import { onEachBackend } from '../testing/backends.ts';
import { caseArguments, type OpCase, opCases } from '../testing/cases.ts';
import { relativeError, runProgram } from '../testing/data.ts';
import { plain, ReferenceOps } from '../testing/reference.ts';
import { sizeCases } from '../testing/sizes.ts';
import { OnnxExecutor } from './onnx/executor.ts';
import { openExecutor } from './open.ts';
import type { Executor, Program } from './types.ts';

const sum: Program = {
  name: 'sum',
  inputs: { x: f32(2, 3), y: f32(2, 3) },
  build: (ops, { x, y }) => ({ z: ops.add(x!, y!) }),
};
const six = (value: number) => new Float32Array(6).fill(value);

async function compare(executor: Executor, opCase: OpCase): Promise<number> {
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
  return relativeError(y!, reference.data);
}

onEachBackend('the contract', (place) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await openExecutor({ ...place, threads: 1 });
  });
  afterAll(() => executor.close());

  it.each(opCases)('$name', async (opCase) => {
    expect(await compare(executor, opCase)).toBeLessThan(2e-6);
  });

  it.each(sizeCases)('$name', async (opCase) => {
    expect(await compare(executor, opCase)).toBeLessThan(4e-6);
  });

  it('what is allocated is zero, and keeps what it is given', async () => {
    const [x] = executor.allocate([f32(2, 3)]).parts;
    expect([...(await x!.read())]).toEqual([0, 0, 0, 0, 0, 0]);
    x!.write(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect([...(await x!.read())]).toEqual([1, 2, 3, 4, 5, 6]);
    x!.zero();
    expect([...(await x!.read())]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('an output may be added to one of the inputs, run after run', async () => {
    const compiled = await executor.compile(sum);
    const [total] = executor.allocate([f32(2, 3)]).parts;
    const one = executor.buffer(f32(2, 3), six(1));
    for (let i = 0; i < 5; i++) await compiled.run({ x: total!, y: one }, { z: total! });
    expect([...(await total!.read())]).toEqual([...six(5)]);
    total!.zero();
    await compiled.run({ x: one, y: total! }, { z: total! });
    expect([...(await total!.read())]).toEqual([...six(1)]);
  });

  it('outputs go where they are told: to a tensor that stays, or to an array', async () => {
    const compiled = await executor.compile(sum);
    const [x, y, z] = executor.allocate([f32(2, 3), f32(2, 3), f32(2, 3)]).parts;
    x!.write(six(3));
    y!.write(six(4));
    const array = executor.buffer(f32(2, 3));
    await compiled.run({ x: x!, y: y! }, { z: z! });
    await compiled.run({ x: z!, y: y! }, { z: array });
    expect([...(await array.read())]).toEqual([...six(11)]);
    expect([...(await x!.read())]).toEqual([...six(3)]);
    await compiled.run({ x: array, y: y! }, { z: z! });
    expect([...(await z!.read())]).toEqual([...six(15)]);
  });

  it('what was written anew is what the next run reads, also after many runs', async () => {
    const compiled = await executor.compile(sum);
    const [x] = executor.allocate([f32(2, 3)]).parts;
    const y = executor.buffer(f32(2, 3), six(1));
    const z = executor.buffer(f32(2, 3));
    for (const value of [1, 2, 3]) {
      x!.write(six(value));
      y.write(six(10 * value));
      for (let again = 0; again < 3; again++) await compiled.run({ x: x!, y }, { z });
      expect([...(await z.read())]).toEqual([...six(11 * value)]);
    }
  });

  it('tensors outlive the program that wrote them', async () => {
    const [x, z] = executor.allocate([f32(2, 3), f32(2, 3)]).parts;
    x!.write(six(2));
    const first = await executor.compile(sum);
    await first.run({ x: x!, y: x! }, { z: z! });
    await first.dispose();
    const second = await executor.compile(sum);
    await second.run({ x: z!, y: x! }, { z: x! });
    expect([...(await x!.read())]).toEqual([...six(6)]);
  });

  it('a value of the wrong length, and an input that is not given, are refused', async () => {
    const compiled = await executor.compile(sum);
    const x = executor.buffer(f32(2, 3), six(1));
    expect(() => x.write(new Float32Array(5))).toThrow('5 values for a tensor of shape [2,3]');
    expect(() => executor.buffer(f32(2, 3), new Float32Array(4))).toThrow('4 values');
    await expect(compiled.run({ x }, { z: x })).rejects.toThrow('no buffer for "y"');
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
