/**
 * {@link Ops} as ONNX nodes. Uses the fused operators of onnxruntime (com.microsoft): a chain of elementwise nodes is a
 * chain of passes over memory.
 */

import {
  axisLength,
  broadcastShapes,
  type MatmulOptions,
  matmulShape,
  type Ops,
  type Shape,
  sizeOf,
  type TensorSpec,
} from '../../ops.ts';
import { CONTRIB, type GraphRecorder, type Sym } from './graph.ts';

/** Above this many classes a one-hot matrix costs more than a scatter. */
const WIDEST_ONE_HOT = 2048;

/** {@link Ops} that records ONNX nodes. */
export class OnnxOps implements Ops<Sym> {
  protected readonly graph: GraphRecorder;

  constructor(graph: GraphRecorder) {
    this.graph = graph;
  }

  spec(x: Sym): TensorSpec {
    return { dtype: x.type === 'f32' ? 'f32' : 'i32', shape: x.shape };
  }
  constant(data: Float32Array | Int32Array, shape: Shape): Sym {
    return this.graph.constant(data instanceof Float32Array ? 'f32' : 'i32', shape, data);
  }

  add(a: Sym, b: Sym): Sym {
    return this.#binary('Add', a, b);
  }
  sub(a: Sym, b: Sym): Sym {
    return this.#binary('Sub', a, b);
  }
  mul(a: Sym, b: Sym): Sym {
    return this.#binary('Mul', a, b);
  }
  div(a: Sym, b: Sym): Sym {
    return this.#binary('Div', a, b);
  }
  minimum(a: Sym, b: Sym): Sym {
    return this.#binary('Min', a, b);
  }
  maximum(a: Sym, b: Sym): Sym {
    return this.#binary('Max', a, b);
  }
  lessEqual(a: Sym, b: Sym): Sym {
    const shape = broadcastShapes(a.shape, b.shape);
    return this.#cast(this.graph.emit('LessOrEqual', [a, b], 'bool', shape), 'f32');
  }

  scope(make: () => Sym[]): Sym[] {
    return make();
  }
  /** onnxruntime executes depth first from the outputs; only the inputs of a node are sure to be computed before it. */
  after(x: Sym, others: readonly Sym[]): Sym {
    const first = this.constant(Int32Array.of(0), []);
    const zeros = others.map((other) => {
      const flat = this.reshape(other, [sizeOf(other.shape)]);
      const one = this.graph.emit('Gather', [flat, first], other.type, [], {
        attributes: { axis: 0 },
      });
      return this.mul(one, this.constant(Float32Array.of(0), []));
    });
    return zeros.length === 0
      ? x
      : this.add(
          x,
          zeros.reduce((a, b) => this.add(a, b)),
        );
  }
  stopGradient(x: Sym): Sym {
    return x;
  }
  neg(x: Sym): Sym {
    return this.#unary('Neg', x);
  }
  exp(x: Sym): Sym {
    return this.#unary('Exp', x);
  }
  sqrt(x: Sym): Sym {
    return this.#unary('Sqrt', x);
  }
  abs(x: Sym): Sym {
    return this.#unary('Abs', x);
  }
  sigmoid(x: Sym): Sym {
    return this.#unary('Sigmoid', x);
  }
  silu(x: Sym): Sym {
    const attributes = { alpha: { float: 1 } };
    return this.graph.emit('QuickGelu', [x], x.type, x.shape, { domain: CONTRIB, attributes });
  }

  sum(x: Sym, axes: readonly number[], keepDims: boolean): Sym {
    const drop = new Set(axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)));
    const kept = x.shape.map((n, i) => (drop.has(i) ? 1 : n));
    const shape = keepDims ? kept : kept.filter((_, i) => !drop.has(i));
    const attributes = { keepdims: keepDims ? 1 : 0 };
    return this.graph.emit('ReduceSum', [x, this.graph.int64s([...drop])], x.type, shape, {
      attributes,
    });
  }
  maxAll(x: Sym): Sym {
    return this.graph.emit('ReduceMax', [x], x.type, [], { attributes: { keepdims: 0 } });
  }

  reshape(x: Sym, shape: Shape): Sym {
    return this.graph.emit('Reshape', [x, this.graph.int64s(shape)], x.type, shape);
  }
  transpose(x: Sym, order: readonly number[]): Sym {
    const shape = order.map((axis) => axisLength(x, axis));
    // If only axes of length 1 move, no element does.
    const long = order.filter((axis) => x.shape[axis] !== 1);
    if (long.every((axis, i) => i === 0 || axis > long[i - 1]!)) return this.reshape(x, shape);
    return this.graph.emit('Transpose', [x], x.type, shape, { attributes: { perm: order } });
  }
  concat(xs: readonly Sym[], axis: number): Sym {
    const shape = [...xs[0]!.shape];
    shape[axis] = xs.reduce((total, x) => total + axisLength(x, axis), 0);
    return this.graph.emit('Concat', xs, xs[0]!.type, shape, { attributes: { axis } });
  }
  split(x: Sym, axis: number, lengths: readonly number[]): Sym[] {
    const outputs = lengths.map((n) => ({
      type: x.type,
      shape: x.shape.map((m, i) => (i === axis ? n : m)),
    }));
    const inputs = [x, this.graph.int64s(lengths)];
    return this.graph.emitMany('Split', inputs, outputs, { attributes: { axis } });
  }
  broadcastTo(x: Sym, shape: Shape): Sym {
    return this.graph.emit('Expand', [x, this.graph.int64s(shape)], x.type, shape);
  }

  matmul(a: Sym, b: Sym, options: MatmulOptions = {}): Sym {
    const shape = matmulShape(a.shape, b.shape, options);
    const { transposeA = false, transposeB = false, alpha = 1 } = options;
    if (!transposeA && !transposeB && alpha === 1)
      return this.graph.emit('MatMul', [a, b], 'f32', shape);
    const attributes = {
      transA: transposeA ? 1 : 0,
      transB: transposeB ? 1 : 0,
      alpha: { float: alpha },
    };
    return this.graph.emit('FusedMatMul', [a, b], 'f32', shape, { domain: CONTRIB, attributes });
  }
  softmax(x: Sym): Sym {
    return this.graph.emit('Softmax', [x], x.type, x.shape, { attributes: { axis: -1 } });
  }
  logSoftmax(x: Sym): Sym {
    return this.graph.emit('LogSoftmax', [x], x.type, x.shape, { attributes: { axis: -1 } });
  }

  gatherRows(table: Sym, ids: Sym): Sym {
    const shape = [axisLength(ids, 0), axisLength(table, 1)];
    return this.graph.emit('Gather', [table, ids], table.type, shape, { attributes: { axis: 0 } });
  }
  scatterRows(x: Sym, ids: Sym, rows: number): Sym {
    const [n, width] = [axisLength(x, 0), axisLength(x, 1)];
    if (rows <= WIDEST_ONE_HOT)
      return this.matmul(this.#oneHot(ids, rows), x, { transposeA: true });
    const zeros = this.broadcastTo(this.constant(Float32Array.of(0), [1, 1]), [rows, width]);
    // Not ScatterND: with several threads it adds rows of equal id concurrently and loses some.
    const indices = this.broadcastTo(this.reshape(ids, [n, 1]), [n, width]);
    const attributes = { axis: 0, reduction: 'add' };
    return this.graph.emit('ScatterElements', [zeros, indices, x], 'f32', [rows, width], {
      attributes,
    });
  }
  pickLast(x: Sym, ids: Sym): Sym {
    const n = axisLength(x, 0);
    const attributes = { axis: 1 };
    const indices = this.reshape(ids, [n, 1]);
    const picked = this.graph.emit('GatherElements', [x, indices], x.type, [n, 1], { attributes });
    return this.reshape(picked, [n]);
  }
  spreadLast(x: Sym, ids: Sym, width: number): Sym {
    return this.mul(this.#oneHot(ids, width), this.reshape(x, [axisLength(x, 0), 1]));
  }

  rmsNorm(x: Sym, weight: Sym, eps: number): { y: Sym; inv: Sym } {
    const stats = [...x.shape.slice(0, -1), 1];
    const outputs = [
      { type: x.type, shape: x.shape },
      { type: x.type, shape: stats },
    ] as const;
    const attributes = { axis: -1, epsilon: { float: eps }, stash_type: 1 };
    const op = 'SimplifiedLayerNormalization';
    const [y, inv] = this.graph.emitMany(op, [x, weight], outputs, { attributes });
    return { y, inv };
  }
  rope(x: Sym, positions: Sym, cos: Sym, sin: Sym): Sym {
    const [n, width] = [axisLength(x, 0), axisLength(x, 1)];
    // Each row is a batch entry of one token: onnxruntime refuses one sequence with more rows than positions.
    const attributes = { num_heads: width / (2 * axisLength(cos, 1)), interleaved: 0 };
    const places = this.#cast(this.reshape(positions, [n, 1]), 'i64');
    const inputs = [this.reshape(x, [n, 1, width]), places, cos, sin];
    const rotated = this.graph.emit('RotaryEmbedding', inputs, x.type, [n, 1, width], {
      domain: CONTRIB,
      attributes,
    });
    return this.reshape(rotated, [n, width]);
  }
  /** ids [N] -> [N, width] of 0 and 1. */
  #oneHot(ids: Sym, width: number): Sym {
    const classes = this.constant(
      Int32Array.from({ length: width }, (_, i) => i),
      [1, width],
    );
    const column = this.reshape(ids, [axisLength(ids, 0), 1]);
    const equal = this.graph.emit('Equal', [column, classes], 'bool', [axisLength(ids, 0), width]);
    return this.#cast(equal, 'f32');
  }
  #cast(x: Sym, type: 'f32' | 'i64'): Sym {
    const attributes = { to: type === 'f32' ? 1 : 7 };
    return this.graph.emit('Cast', [x], type, x.shape, { attributes });
  }
  #unary(op: string, x: Sym): Sym {
    return this.graph.emit(op, [x], x.type, x.shape);
  }
  #binary(op: string, a: Sym, b: Sym): Sym {
    return this.graph.emit(op, [a, b], a.type, broadcastShapes(a.shape, b.shape));
  }
}
