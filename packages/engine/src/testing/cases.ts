/** One case for every operation of {@link Ops}: arguments, and how to call it. */

import { Tape } from '../autodiff/tape.ts';
import { ropeTables } from '../model/rope.ts';
import { type Ops, type Shape, sizeOf } from '../ops.ts';
import { normals } from '../sampling/random.ts';
import { integers, tinyConfig } from './data.ts';

export interface OpCase {
  readonly name: string;
  /** Float arguments, whose gradients are checked; drawn from a normal distribution, or its absolute value + 0.5. */
  readonly shapes: readonly Shape[];
  readonly positive?: boolean;
  /** Set for operations without a gradient. */
  readonly still?: boolean;
  call<T>(ops: Ops<T>, x: readonly T[]): T;
}

function ids<T>(ops: Ops<T>, count: number, below: number): T {
  return ops.constant(integers(count, count, 0, below), [count]);
}

function rope<T>(ops: Ops<T>, x: T): T {
  const { cos, sin, shape } = ropeTables(tinyConfig, 64);
  const [c, s] = [cos, sin].map((table) => ops.constant(table, shape));
  return ops.rope(x, ids(ops, 5, 40), c!, s!);
}

function one(name: string, shape: Shape, call: OpCase['call'], positive = false): OpCase {
  return {
    name,
    shapes: [shape],
    call,
    positive,
  };
}
function two(name: string, a: Shape, b: Shape, call: OpCase['call'], positive = false): OpCase {
  return {
    name,
    shapes: [a, b],
    call,
    positive,
  };
}

export const opCases: readonly OpCase[] = [
  two('add', [2, 3], [3], (o, [a, b]) => o.add(a!, b!)),
  two('sub', [3], [2, 1], (o, [a, b]) => o.sub(a!, b!)),
  two('mul', [2, 3, 4], [3, 1], (o, [a, b]) => o.mul(a!, b!)),
  two('div', [2, 3], [2, 1], (o, [a, b]) => o.div(a!, b!), true),
  two('minimum', [4, 3], [3], (o, [a, b]) => o.minimum(a!, b!)),
  two('maximum', [4, 3], [4, 1], (o, [a, b]) => o.maximum(a!, b!)),
  { ...two('lessEqual', [4, 3], [3], (o, [a, b]) => o.lessEqual(a!, b!)), still: true },
  { ...one('stopGradient', [5], (o, [x]) => o.stopGradient(x!)), still: true },
  two('after', [2, 3], [4], (o, [a, b]) => o.add(o.after(a!, [b!]), o.sum(b!, [0], true))),
  one('scope', [2, 3], (o, [x]) => o.scope(() => [o.mul(x!, o.exp(x!))])[0]!),
  one('neg', [2, 3], (o, [x]) => o.neg(x!)),
  one('exp', [2, 3], (o, [x]) => o.exp(x!)),
  one('sqrt', [2, 3], (o, [x]) => o.sqrt(x!), true),
  one('abs', [7], (o, [x]) => o.abs(x!)),
  one('sigmoid', [2, 3], (o, [x]) => o.sigmoid(x!)),
  one('silu', [2, 3], (o, [x]) => o.silu(x!)),
  one('sum over an axis', [2, 3, 4], (o, [x]) => o.sum(x!, [1], true)),
  one('sum over all', [2, 3], (o, [x]) => o.sum(x!, [0, -1], false)),
  { ...one('maxAll', [2, 3], (o, [x]) => o.maxAll(x!)), still: true },
  one('reshape', [2, 6], (o, [x]) => o.reshape(x!, [3, 1, 4])),
  one('transpose', [2, 3, 4, 5], (o, [x]) => o.transpose(x!, [0, 2, 1, 3])),
  one('transpose, cyclic', [2, 3, 4], (o, [x]) => o.transpose(x!, [2, 0, 1])),
  two('concat', [2, 3], [2, 2], (o, [a, b]) => o.concat([a!, b!], 1)),
  one('split', [2, 6], (o, [x]) => {
    const [a, b, c] = o.split(x!, 1, [2, 3, 1]);
    return o.concat([b!, o.mul(a!, c!)], 1);
  }),
  one('split, of which one piece is used', [5, 2], (o, [x]) => o.split(x!, 0, [1, 3, 1])[1]!),
  one('broadcastTo', [2, 1], (o, [x]) => o.broadcastTo(x!, [2, 4])),
  two('matmul', [3, 4], [4, 2], (o, [a, b]) => o.matmul(a!, b!)),
  two('matmul A^T', [4, 3], [4, 2], (o, [a, b]) => o.matmul(a!, b!, { transposeA: true })),
  two('matmul B^T, scaled', [3, 4], [2, 4], (o, [a, b]) =>
    o.matmul(a!, b!, { transposeB: true, alpha: 0.5 }),
  ),
  two('matmul A^T B^T', [4, 3], [2, 4], (o, [a, b]) =>
    o.matmul(a!, b!, { transposeA: true, transposeB: true }),
  ),
  two('matmul, batched', [2, 2, 3, 4], [2, 2, 5, 4], (o, [a, b]) =>
    o.matmul(a!, b!, { transposeB: true, alpha: 2 }),
  ),
  two('matmul A^T, batched', [2, 4, 3], [2, 4, 5], (o, [a, b]) =>
    o.matmul(a!, b!, { transposeA: true }),
  ),
  one('softmax', [3, 5], (o, [x]) => o.softmax(x!)),
  one('logSoftmax', [3, 5], (o, [x]) => o.logSoftmax(x!)),
  one('gatherRows', [4, 3], (o, [x]) => o.gatherRows(x!, ids(o, 6, 4))),
  one('scatterRows', [6, 3], (o, [x]) => o.scatterRows(x!, ids(o, 6, 4), 4)),
  one('pickLast', [6, 4], (o, [x]) => o.pickLast(x!, ids(o, 6, 4))),
  one('spreadLast', [6], (o, [x]) => o.spreadLast(x!, ids(o, 6, 4), 4)),
  two('rmsNorm', [3, 8], [8], (o, [x, w]) => o.rmsNorm(x!, w!, 1e-5).y),
  one('rope', [5, 16], (o, [x]) => rope(o, x!)),
];

export function caseArguments({ name, shapes, positive }: OpCase): Float32Array[] {
  return shapes.map((shape, i) => {
    const values = normals(name.length * 10 + i, sizeOf(shape));
    return positive ? values.map((x) => Math.abs(x) + 0.5) : values;
  });
}

/** Gradients of the arguments of a case, of the sum of its output times fixed random numbers. */
export function caseGradients<T>(opCase: OpCase, ops: Ops<T>, x: readonly T[]): T[] {
  const tape = new Tape(ops);
  const vars = x.map((value) => tape.variable(value));
  const y = opCase.call(tape, vars);
  const { shape } = tape.spec(y);
  const factors = tape.fixed(ops.constant(normals(9, sizeOf(shape)), shape));
  const total = tape.sum(tape.mul(y, factors), [...shape.keys()], false);
  return tape.gradients(total, vars);
}
