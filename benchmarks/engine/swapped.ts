/**
 * Compares a linear layer of few rows on the CPU provider of onnxruntime as the engine computes it (sides swapped) with
 * the plain product: shows why `cpu-ops.ts` swaps, and up to how many rows.
 *
 *   node benchmarks/engine/swapped.ts [--threads 1] [--in 576] [--out 1536] [--rows 1,2,8,16,32,64,96,128]
 */
import { parseArgs } from 'node:util';
import { openOnnx } from '../../packages/engine/src/executors/open.ts';
import type { Executor, Program } from '../../packages/engine/src/executors/types.ts';
import { f32, type Shape } from '../../packages/engine/src/ops.ts';
import { normals } from '../../packages/engine/src/sampling/random.ts';
import { announce, median, printTable } from './common.ts';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    in: { type: 'string', default: '576' },
    out: { type: 'string', default: '1536' },
    rows: { type: 'string', default: '1,2,8,16,32,64,96,128' },
  },
});
const [width, out] = [Number(values.in), Number(values.out)];

/** Products in one run, each with its own weights, like consecutive layers. */
const LAYERS = 24;
const ROUNDS = 30;

/** The swap applies to matrices; a batch of one is multiplied plainly. */
function layers(rows: number, swapped: boolean): Program {
  const shaped = (...shape: number[]): Shape => (swapped ? shape : [1, ...shape]);
  const axes = swapped ? [0, 1] : [0, 1, 2];
  return {
    name: `${swapped ? 'swapped' : 'plain'} ${rows}`,
    inputs: {
      x: f32(...shaped(rows, width)),
      ...Object.fromEntries(weightNames.map((name) => [name, f32(...shaped(out, width))])),
    },
    build: (ops, { x, ...weights }) => ({
      // Returns the sums, because a run copies its outputs.
      y: weightNames
        .map((name) => ops.sum(ops.matmul(x!, weights[name]!, { transposeB: true }), axes, false))
        .reduce((a, b) => ops.add(a, b)),
    }),
  };
}
const weightNames = Array.from({ length: LAYERS }, (_, i) => `w${i}`);

/**
 * Compiles one way to compute the layers.
 * @returns a function that runs it and returns the milliseconds of one product
 */
async function prepareRun(executor: Executor, rows: number, swapped: boolean) {
  const program = layers(rows, swapped);
  const compiled = await executor.compile(program);
  const buffers = Object.fromEntries(
    Object.entries(program.inputs).map(([name, spec], i) => {
      const buffer = executor.buffer(spec);
      buffer.write(
        normals(
          i,
          spec.shape.reduce((a, b) => a * b, 1),
        ),
      );
      return [name, buffer];
    }),
  );
  const y = executor.buffer(f32());
  return async () => {
    const began = performance.now();
    await compiled.run(buffers, { y });
    await y.read();
    return (performance.now() - began) / LAYERS;
  };
}

announce(
  `products of [rows, ${width}] and [${out}, ${width}] transposed, ${values.threads} thread(s)`,
);
const executor = await openOnnx({ threads: Number(values.threads) });
const table: string[][] = [];
for (const rows of values.rows.split(',').map(Number)) {
  const ways = [await prepareRun(executor, rows, true), await prepareRun(executor, rows, false)];
  const times: number[][] = [[], []];
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, way] of ways.entries()) times[i]!.push(await way());
  const [swapped, plain] = times.map((some) => median(some.slice(3)));
  const speed = (ms: number) => ((2 * rows * width * out) / ms / 1e6).toFixed(0);
  table.push([String(rows), speed(plain!), speed(swapped!), (plain! / swapped!).toFixed(2)]);
}
printTable(['rows', 'plain, GFLOP/s', 'as in the engine', 'x'], table);
await executor.close();
