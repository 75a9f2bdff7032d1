/** Encodes a program as the bytes of an ONNX model for a provider; the given operations decide which nodes it has. */

import type { Ops } from '../../ops.ts';
import type { Program } from '../types.ts';
import { GraphRecorder, type Sym } from './graph.ts';

/**
 * Prefix of output names. ONNX has one namespace for inputs and outputs; in a program an output may have the name of an
 * input.
 */
export const OUTPUT_PREFIX = 'out:';

export type MakeOps = (graph: GraphRecorder) => Ops<Sym>;

/** The bytes of the ONNX model of a program. */
export function modelBytes(program: Program, makeOps: MakeOps): Uint8Array {
  return recordProgram(program, makeOps).bytes;
}

/** The model, and the graph that it was encoded from. */
export function recordProgram(program: Program, makeOps: MakeOps) {
  const graph = new GraphRecorder();
  const inputs: Record<string, Sym> = {};
  for (const [name, { dtype, shape }] of Object.entries(program.inputs))
    inputs[name] = graph.input(name, dtype, shape);
  const built = Object.entries(program.build(makeOps(graph), inputs));
  const outputs = built.map(([name, sym]) => [OUTPUT_PREFIX + name, sym] as const);
  return { graph, bytes: graph.encode(program.name, Object.fromEntries(outputs)) };
}
