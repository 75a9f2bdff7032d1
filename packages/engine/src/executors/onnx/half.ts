/**
 * A matrix product in half precision, to measure whether a provider supports it and how fast it is. The programs of the
 * engine use float32 only.
 */

import type { HalfType } from '../types.ts';
import { GraphRecorder, type Sym } from './graph.ts';
import { OUTPUT_PREFIX } from './model.ts';
import { ELEMENT_TYPE } from './proto.ts';

/** The model of {@link Executor.compileHalfProduct}. */
export function halfProduct(type: HalfType, n: number): Uint8Array {
  const graph = new GraphRecorder();
  const cast = (x: Sym, to: Sym['type']) =>
    graph.emit('Cast', [x], to, x.shape, { attributes: { to: ELEMENT_TYPE[to] } });
  const factors = ['a', 'b'].map((name) => cast(graph.input(name, 'f32', [n, n]), type));
  const y = cast(graph.emit('MatMul', factors, type, [n, n]), 'f32');
  const total = graph.emit('ReduceSum', [y], 'f32', [], { attributes: { keepdims: 0 } });
  return graph.encode(`${type} product`, {
    [`${OUTPUT_PREFIX}y`]: y,
    [`${OUTPUT_PREFIX}total`]: total,
  });
}
