/**
 * Records operations as nodes of one ONNX graph. Tracks shapes, shares equal constants and drops nodes that no output
 * needs.
 * Leaves out: optimizations that onnxruntime does itself.
 */

import { hash } from 'node:crypto';
import type { Shape } from '../../ops.ts';
import {
  type AttributeValue,
  type ElementType,
  encodeModel,
  type InitializerProto,
  type NodeProto,
  type ValueProto,
} from './proto.ts';

/** A value of the graph being recorded. */
export interface Sym {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}

export interface EmitOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly domain?: string;
}

/** com.microsoft: onnxruntime's additions to ONNX. */
export const CONTRIB = 'com.microsoft';

/** Records nodes and encodes them as a model. */
export class GraphRecorder {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: InitializerProto[] = [];
  readonly #inputs: ValueProto[] = [];
  readonly #shared = new Map<string, Sym>();
  readonly #syms = new Map<string, Sym>();
  #count = 0;

  input(name: string, type: ElementType, shape: Shape): Sym {
    const sym = { name, type, shape };
    this.#inputs.push(sym);
    this.#syms.set(name, sym);
    return sym;
  }

  constant(type: ElementType, shape: Shape, data: Float32Array | Int32Array | BigInt64Array): Sym {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    // Shares large constants: every layer needs the masks of its attention, and a model file is limited to 2 GiB.
    const key = `${type}[${shape}]${hash('sha256', bytes)}`;
    const known = this.#shared.get(key);
    if (known) return known;
    const sym = { name: this.#fresh('const'), type, shape };
    this.#initializers.push({ ...sym, data: bytes.slice() });
    this.#shared.set(key, sym);
    return sym;
  }

  /** A list of whole numbers in ONNX's form for shapes, axes and indices: int64 [n]. */
  int64s(values: readonly number[]): Sym {
    return this.constant('i64', [values.length], BigInt64Array.from(values, BigInt));
  }

  emit(
    op: string,
    inputs: readonly Sym[],
    type: ElementType,
    shape: Shape,
    options?: EmitOptions,
  ): Sym {
    const [sym] = this.emitMany(op, inputs, [{ type, shape }], options);
    return sym;
  }

  emitMany<const O extends readonly { type: ElementType; shape: Shape }[]>(
    op: string,
    inputs: readonly (Sym | undefined)[],
    outputs: O,
    options: EmitOptions = {},
  ): { -readonly [I in keyof O]: Sym } {
    const syms = outputs.map((output) => ({ ...output, name: this.#fresh(op) }));
    for (const sym of syms) this.#syms.set(sym.name, sym);
    this.#nodes.push({
      op,
      inputs: inputs.map((input) => input?.name ?? ''),
      outputs: syms.map((sym) => sym.name),
      ...options,
    });
    return syms as { -readonly [I in keyof O]: Sym };
  }

  /** The bytes of the model, with the outputs under the given names. */
  encode(name: string, outputs: Readonly<Record<string, Sym>>): Uint8Array {
    const nodes = [...this.#nodes];
    const values = Object.entries(outputs).map(([outputName, sym]) => {
      nodes.push({ op: 'Identity', inputs: [sym.name], outputs: [outputName] });
      return { name: outputName, type: sym.type, shape: sym.shape };
    });
    const { live, used } = liveNodes(
      fold(nodes),
      values.map((value) => value.name),
    );
    return encodeModel({
      name,
      nodes: live,
      initializers: this.#initializers.filter((tensor) => used.has(tensor.name)),
      inputs: this.#inputs,
      outputs: values,
    });
  }

  /** Every node as its own model, named by its operator and inputs: finds the node that a provider refuses. */
  singles(): { readonly name: string; readonly model: () => Uint8Array }[] {
    const constants = new Map(this.#initializers.map((tensor) => [tensor.name, tensor]));
    return this.#nodes.map((node) => {
      const given = node.inputs.flatMap((name) => this.#syms.get(name) ?? []);
      const initializers = node.inputs.flatMap((name) => constants.get(name) ?? []);
      const types = [...given, ...initializers].map(({ type }) => type);
      const outputs = node.outputs.flatMap((name) => this.#syms.get(name) ?? []);
      const inputs = [...new Set(given)];
      const model = () =>
        encodeModel({ name: node.op, nodes: [node], initializers, inputs, outputs });
      return { name: `${node.op}(${types.join(', ')})`, model };
    });
  }

  #fresh(op: string): string {
    this.#count += 1;
    return `${op}#${this.#count}`;
  }
}

/** Removes an Identity that only names the output of a node; it would be an extra copy. */
function fold(nodes: readonly NodeProto[]): NodeProto[] {
  const rename = new Map<string, string>();
  const made = new Set(nodes.filter((n) => n.op !== 'Identity').flatMap((n) => n.outputs));
  const kept = nodes.filter((node) => {
    const [from] = node.inputs;
    const [to] = node.outputs;
    if (node.op !== 'Identity' || from === undefined || to === undefined) return true;
    if (!made.has(from) || rename.has(from)) return true;
    rename.set(from, to);
    return false;
  });
  const to = (value: string) => rename.get(value) ?? value;
  return kept.map((n) => ({ ...n, inputs: n.inputs.map(to), outputs: n.outputs.map(to) }));
}

/** The nodes that the outputs depend on, and every name they use. */
function liveNodes(nodes: readonly NodeProto[], outputs: readonly string[]) {
  const used = new Set(outputs);
  const live: NodeProto[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => used.has(output))) continue;
    for (const input of node.inputs) used.add(input);
    live.push(node);
  }
  return { live: live.reverse(), used };
}
