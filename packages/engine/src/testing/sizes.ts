/** Operations at sizes where libraries change kernels: vectors of four, tiles, one row, odd lengths, long rows. */

import type { MatmulOptions, Shape } from '../ops.ts';
import type { OpCase } from './cases.ts';
import { integers } from './data.ts';

const flags: readonly MatmulOptions[] = [
  {},
  { transposeA: true },
  { transposeB: true, alpha: 0.25 },
  { transposeA: true, transposeB: true },
];

/** rows, inner length, columns */
const products: readonly Shape[] = [
  [1, 64, 96],
  [2, 33, 17],
  [64, 64, 64],
  [129, 40, 68],
];

function flip(rows: number, columns: number, on = false) {
  return on ? [columns, rows] : [rows, columns];
}

function product([m, k, n]: Shape, batch: Shape, options: MatmulOptions): OpCase {
  const { transposeA, transposeB } = options;
  return {
    name: `matmul ${[...batch, m, k, n].join('x')} ${JSON.stringify(options)}`,
    shapes: [
      [...batch, ...flip(m!, k!, transposeA)],
      [...batch, ...flip(k!, n!, transposeB)],
    ],
    call: (ops, [a, b]) => ops.matmul(a!, b!, options),
  };
}

const [rows, vocabulary, width] = [40, 5000, 36];

export const sizeCases: readonly OpCase[] = [
  ...flags.flatMap((options) => products.map((shape) => product(shape, [], options))),
  ...flags.map((options) => product([20, 32, 24], [3, 2], options)),
  {
    name: 'matmul with a broadcast batch axis',
    shapes: [
      [3, 1, 8, 16],
      [3, 4, 16, 12],
    ],
    still: true,
    call: (ops, [a, b]) => ops.matmul(a!, b!),
  },
  {
    name: 'matmul of six axes, of which one repeats',
    shapes: [
      [2, 3, 4, 2, 1, 8],
      [2, 3, 4, 1, 8, 5],
    ],
    still: true,
    call: (ops, [a, b]) => ops.matmul(a!, b!),
  },
  {
    name: 'broadcastTo of five axes',
    shapes: [[2, 1, 3, 1, 4]],
    call: (ops, [x]) => ops.broadcastTo(x!, [2, 5, 3, 6, 4]),
  },
  {
    name: 'transpose of five axes',
    shapes: [[2, 3, 4, 5, 6]],
    call: (ops, [x]) => ops.transpose(x!, [0, 2, 1, 3, 4]),
  },
  {
    name: 'attention weights of five axes: concat, softmax, split, sum',
    shapes: [
      [2, 3, 4, 2, 6],
      [2, 3, 4, 2, 1],
    ],
    call: (ops, [a, b]) => {
      const all = ops.softmax(ops.concat([a!, b!], 4));
      const [most, last] = ops.split(all, 4, [5, 2]);
      return ops.mul(ops.sum(most!, [4], true), last!);
    },
  },
  {
    name: 'split into sixty and concat of sixty: more than a shader binds',
    shapes: [[60, 3, 4]],
    call: (ops, [x]) => {
      const pieces = ops.split(x!, 0, new Array<number>(60).fill(1));
      return ops.concat(pieces.toReversed(), 0);
    },
  },
  { name: 'softmax, long rows', shapes: [[3, 3001]], call: (ops, [x]) => ops.softmax(x!) },
  {
    name: 'logSoftmax, long rows far from 0',
    shapes: [[3, 3001]],
    call: (ops, [x]) =>
      ops.logSoftmax(ops.mul(ops.add(x!, ops.constant(Float32Array.of(3), [])), x!)),
  },
  {
    name: 'sum of many',
    positive: true,
    shapes: [[70, 1000]],
    call: (ops, [x]) => ops.sum(x!, [0, 1], false),
  },
  { name: 'sum over rows', shapes: [[700, 36]], call: (ops, [x]) => ops.sum(x!, [0], false) },
  { name: 'maxAll of many', still: true, shapes: [[70, 1000]], call: (ops, [x]) => ops.maxAll(x!) },
  {
    name: 'rmsNorm, many rows',
    shapes: [[130, 576], [576]],
    call: (ops, [x, w]) => ops.rmsNorm(x!, w!, 1e-5).y,
  },
  {
    name: 'gatherRows from a large table',
    shapes: [[vocabulary, width]],
    call: (ops, [x]) => ops.gatherRows(x!, ops.constant(integers(1, rows, 0, vocabulary), [rows])),
  },
  {
    name: 'scatterRows into a large table, with equal ids',
    shapes: [[rows, width]],
    call: (ops, [x]) =>
      ops.scatterRows(x!, ops.constant(integers(2, rows, 0, 7), [rows]), vocabulary),
  },
  {
    name: 'pickLast from long rows',
    shapes: [[rows, vocabulary]],
    call: (ops, [x]) => ops.pickLast(x!, ops.constant(integers(3, rows, 0, vocabulary), [rows])),
  },
  {
    name: 'spreadLast to long rows',
    shapes: [[rows]],
    call: (ops, [x]) =>
      ops.spreadLast(x!, ops.constant(integers(3, rows, 0, vocabulary), [rows]), vocabulary),
  },
];
