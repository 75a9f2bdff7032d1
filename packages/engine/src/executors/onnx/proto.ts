/**
 * The protobuf messages of ONNX that a generated graph needs, encoded by protobufjs. Field numbers from
 * onnx/onnx.proto3 (ONNX 1.16).
 * Leaves out: training info, functions, sparse tensors, subgraphs.
 */

import protobuf from 'protobufjs';

function field(id: number, type: string, rule?: 'repeated') {
  return {
    id,
    type,
    ...(rule && { rule }),
  };
}

const root = protobuf.Root.fromJSON({
  nested: {
    Attribute: {
      fields: {
        name: field(1, 'string'),
        f: field(2, 'float'),
        i: field(3, 'int64'),
        s: field(4, 'bytes'),
        ints: field(8, 'int64', 'repeated'),
        type: field(20, 'int32'),
      },
    },
    Node: {
      fields: {
        input: field(1, 'string', 'repeated'),
        output: field(2, 'string', 'repeated'),
        name: field(3, 'string'),
        opType: field(4, 'string'),
        attribute: field(5, 'Attribute', 'repeated'),
        domain: field(7, 'string'),
      },
    },
    Tensor: {
      fields: {
        dims: field(1, 'int64', 'repeated'),
        dataType: field(2, 'int32'),
        name: field(8, 'string'),
        rawData: field(9, 'bytes'),
      },
    },
    Dimension: { fields: { dimValue: field(1, 'int64') } },
    TensorShape: { fields: { dim: field(1, 'Dimension', 'repeated') } },
    TensorType: { fields: { elemType: field(1, 'int32'), shape: field(2, 'TensorShape') } },
    ValueType: { fields: { tensorType: field(1, 'TensorType') } },
    ValueInfo: { fields: { name: field(1, 'string'), type: field(2, 'ValueType') } },
    Graph: {
      fields: {
        node: field(1, 'Node', 'repeated'),
        name: field(2, 'string'),
        initializer: field(5, 'Tensor', 'repeated'),
        input: field(11, 'ValueInfo', 'repeated'),
        output: field(12, 'ValueInfo', 'repeated'),
      },
    },
    OperatorSet: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    Model: {
      fields: {
        irVersion: field(1, 'int64'),
        producerName: field(2, 'string'),
        graph: field(7, 'Graph'),
        opsetImport: field(8, 'OperatorSet', 'repeated'),
      },
    },
  },
});
const modelType = root.lookupType('Model');

/** ONNX element types (TensorProto.DataType). */
export const ELEMENT_TYPE = { f32: 1, i32: 6, i64: 7, bool: 9, f16: 10, bf16: 16 } as const;
export type ElementType = keyof typeof ELEMENT_TYPE;

export type AttributeValue = number | string | readonly number[] | { readonly float: number };

export interface NodeProto {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export interface ValueProto {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

export interface InitializerProto extends ValueProto {
  readonly data: Uint8Array;
}

export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly InitializerProto[];
  readonly inputs: readonly ValueProto[];
  readonly outputs: readonly ValueProto[];
}

function attribute(name: string, value: AttributeValue): object {
  if (typeof value === 'string') return { name, s: Buffer.from(value), type: 3 };
  if (typeof value === 'number') return { name, i: value, type: 2 };
  if ('float' in value) return { name, f: value.float, type: 1 };
  return { name, ints: value, type: 7 };
}

function valueInfo({ name, type, shape }: ValueProto) {
  return {
    name,
    type: {
      tensorType: {
        elemType: ELEMENT_TYPE[type],
        shape: { dim: shape.map((dimValue) => ({ dimValue })) },
      },
    },
  };
}

/** The bytes of a model with one graph: opset 18 of ONNX, opset 1 of onnxruntime's operators. */
export function encodeModel(graph: GraphProto): Uint8Array {
  return modelType
    .encode({
      irVersion: 8,
      producerName: 'cipo',
      opsetImport: [
        { domain: '', version: 18 },
        { domain: 'com.microsoft', version: 1 },
      ],
      graph: {
        name: graph.name,
        node: graph.nodes.map((node, i) => ({
          name: `${node.op}_${i}`,
          opType: node.op,
          input: node.inputs,
          output: node.outputs,
          domain: node.domain ?? '',
          attribute: Object.entries(node.attributes ?? {}).map(([k, v]) => attribute(k, v)),
        })),
        initializer: graph.initializers.map(({ name, type, shape, data }) => ({
          name,
          dims: shape,
          dataType: ELEMENT_TYPE[type],
          rawData: data,
        })),
        input: graph.inputs.map(valueInfo),
        output: graph.outputs.map(valueInfo),
      },
    })
    .finish();
}
