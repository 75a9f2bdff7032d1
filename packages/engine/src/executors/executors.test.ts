/** What every backend owes: the operations by their definition, and memory that keeps what runs wrote. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { ropeTables } from '../model/rope.ts';
import { f32, i32, type Ops } from '../ops.ts';
import { plain, ReferenceOps } from '../reference/reference.ts';
import { normals } from '../sampling/random.ts';
import { onEachBackend } from '../testing/backends.ts';
import { caseArguments, caseGradients, type OpCase, opCases } from '../testing/cases.ts';
import { integers, relativeError, runProgram, tinyConfig } from '../testing/data.ts';
import { sizeCases } from '../testing/sizes.ts';
import { OnnxExecutor } from './onnx/executor.ts';
import { openExecutor } from './open.ts';
import type { Executor, Program } from './types.ts';

const sum: Program = {
  name: 'sum',
  inputs: { x: f32(2, 3), y: f32(2, 3) },
  build: (ops, { x, y }) => ({ z: ops.add(x!, y!) }),
};
function six(value: number) {
  return new Float32Array(6).fill(value);
}

type Call = <T>(ops: Ops<T>, x: readonly T[]) => readonly T[];

/** Largest relative error of any of a function's values against the definition. */
async function compare(executor: Executor, opCase: OpCase, call: Call): Promise<number> {
  const arrays = caseArguments(opCase);
  const exact = call(
    new ReferenceOps(),
    arrays.map((data, i) => plain(data, opCase.shapes[i]!)),
  );
  const numbered = <V>(letter: string, values: readonly V[]) =>
    Object.fromEntries(values.map((value, i) => [`${letter}${i}`, value]));
  const program: Program = {
    name: opCase.name,
    inputs: numbered(
      'x',
      opCase.shapes.map((shape) => f32(...shape)),
    ),
    build: (ops, x) =>
      numbered(
        'y',
        call(
          ops,
          arrays.map((_, i) => x[`x${i}`]!),
        ),
      ),
  };
  const outputs = numbered(
    'y',
    exact.map(({ shape }) => f32(...shape)),
  );
  const found = await runProgram(executor, program, numbered('x', arrays), outputs);
  return Math.max(...exact.map(({ data }, i) => relativeError(found[`y${i}`]!, data)));
}

const cases = [...opCases, ...sizeCases];
function isDifferentiable({ still = false }: OpCase) {
  return !still;
}

onEachBackend('the contract', (place) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await openExecutor({ ...place, threads: 1 });
  });
  afterAll(() => executor.close());

  test.each(cases)('$name equals the float64 reference', async (opCase) => {
    const call: Call = (ops, x) => [opCase.call(ops, x)];
    expect(await compare(executor, opCase, call)).toBeLessThan(4e-6);
  });

  test.each(cases.filter(isDifferentiable))(
    'the gradient of $name equals the float64 reference',
    async (opCase) => {
      const call: Call = (ops, x) => caseGradients(opCase, ops, x);
      expect(await compare(executor, opCase, call)).toBeLessThan(1e-5);
    },
  );

  test('an executor accepts whole numbers as inputs: rows, ids, positions', async () => {
    const [n, vocabulary, d] = [6, 9, 8];
    const { cos, sin, shape } = ropeTables(tinyConfig, 16);
    const build = <T>(ops: Ops<T>, { ids, table, c, s }: Readonly<Record<string, T>>) => {
      const rows = ops.gatherRows(table!, ids!);
      const turned = ops.rope(ops.scatterRows(rows, ids!, n), ids!, c!, s!);
      return { y: ops.mul(turned, ops.reshape(ops.pickLast(rows, ids!), [n, 1])) };
    };
    const given = { ids: integers(1, n, 0, 6), table: normals(2, vocabulary * d), c: cos, s: sin };
    const specs = { ids: i32(n), table: f32(vocabulary, d), c: f32(...shape), s: f32(...shape) };
    const exact = build(new ReferenceOps(), {
      ids: plain(given.ids, [n]),
      table: plain(given.table, [vocabulary, d]),
      c: plain(cos, shape),
      s: plain(sin, shape),
    });
    const program: Program = { name: 'whole numbers', inputs: specs, build };
    const { y } = await runProgram(executor, program, given, { y: f32(n, d) });
    expect(relativeError(y!, exact.y.data)).toBeLessThan(2e-6);
  });

  test('allocated tensors are zero and keep what is written to them', async () => {
    const [x] = executor.allocate([f32(2, 3)]).parts;
    expect([...(await x!.read())]).toEqual([0, 0, 0, 0, 0, 0]);
    x!.write(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect([...(await x!.read())]).toEqual([1, 2, 3, 4, 5, 6]);
    x!.zero();
    expect([...(await x!.read())]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('an output can accumulate into an input over several runs', async () => {
    const compiled = await executor.compile(sum);
    const [total] = executor.allocate([f32(2, 3)]).parts;
    const one = executor.buffer(f32(2, 3), six(1));
    for (let i = 0; i < 5; i++) await compiled.run({ x: total!, y: one }, { z: total! });
    expect([...(await total!.read())]).toEqual([...six(5)]);
    total!.zero();
    await compiled.run({ x: one, y: total! }, { z: total! });
    expect([...(await total!.read())]).toEqual([...six(1)]);
  });

  test('outputs go to resident tensors or to arrays, as requested', async () => {
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

  test('the next run reads rewritten contents, also after many runs', async () => {
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

  test('tensors outlive the program that wrote them', async () => {
    const [x, z] = executor.allocate([f32(2, 3), f32(2, 3)]).parts;
    x!.write(six(2));
    const first = await executor.compile(sum);
    await first.run({ x: x!, y: x! }, { z: z! });
    await first.dispose();
    const second = await executor.compile(sum);
    await second.run({ x: z!, y: x! }, { z: x! });
    expect([...(await x!.read())]).toEqual([...six(6)]);
  });

  test('an array of the wrong length and a missing input are refused', async () => {
    const compiled = await executor.compile(sum);
    const x = executor.buffer(f32(2, 3), six(1));
    expect(() => x.write(new Float32Array(5))).toThrow('5 values for a tensor of shape [2,3]');
    expect(() => executor.buffer(f32(2, 3), new Float32Array(4))).toThrow('4 values');
    await expect(compiled.run({ x }, { z: x })).rejects.toThrow('no buffer for "y"');
  });
});

/** Rows whose sum by id is known, of a vocabulary so large that tfjs takes them in pieces. */
async function sumsById(executor: Executor, width: number): Promise<void> {
  const [rows, vocabulary] = [4096, 5000];
  const program: Program = {
    name: 'scatter',
    inputs: { x: f32(rows, width), ids: i32(rows) },
    build: (ops, { x, ids }) => ({ y: ops.scatterRows(x!, ids!, vocabulary) }),
  };
  const inputs = {
    x: new Float32Array(rows * width).fill(1),
    ids: Int32Array.from({ length: rows }, (_, i) => i % 4),
  };
  const { y } = await runProgram(executor, program, inputs, { y: f32(vocabulary, width) });
  expect([...new Set(y!.subarray(0, 4 * width))]).toEqual([rows / 4]);
  expect(y!.subarray(4 * width).every((sum) => sum === 0)).toBe(true);
}

test('onnx sums rows of equal id with two threads as with one, also for large vocabularies', async () => {
  const executor = new OnnxExecutor({ threads: 2 });
  for (let i = 0; i < 5; i++) await sumsById(executor, 256);
  await executor.close();
});

test('tfjs sums rows of equal id in pieces, so that the whole one-hot matrix never exists', async () => {
  const executor = await openExecutor({ executor: 'tfjs', backend: 'wasm', threads: 1 });
  await sumsById(executor, 9);
  await executor.close();
});
