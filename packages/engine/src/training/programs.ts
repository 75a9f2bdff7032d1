/**
 * The programs of training and scoring: pure functions of named tensors, written over {@link Ops} and run by an
 * Executor. The programs of sampling are in sampling/programs.ts, those of the optimizer in adamw.ts.
 */

import {
  checkpointLayer,
  type LossOfRows,
  lossOverRows,
  measureOverRows,
  type RowLoss,
  type RowsOfLoss,
} from '../autodiff/recompute.ts';
import { Tape, type Var } from '../autodiff/tape.ts';
import type { Program } from '../executors/types.ts';
import { ENGINE_DEFAULTS } from '../limits.ts';
import { adapterInputs, adapterScales } from '../lora/adapter.ts';
import { adapterSpecs, type LoraModule } from '../lora/options.ts';
import {
  type BatchContext,
  branchRows,
  groupedAttention,
  type Layout,
  prefixRows,
  totalRows,
} from '../model/attention.ts';
import { headSize, type ModelConfig, paramSpecs } from '../model/config.ts';
import { headName, layerPrefix, llamaHidden, llamaLayer, llamaLogits } from '../model/llama.ts';
import { f32, i32, type Ops, type TensorSpec } from '../ops.ts';
import {
  makeTensors,
  mapTensors,
  type Params,
  pickTensors,
  requireParam,
  type Tensors,
} from '../tensors.ts';
import type { LossSpec } from '../types.ts';
import { TERM_NAMES, type TermName } from './batching.ts';
import { type LossShape, lossScalars, tokenLosses } from './losses.ts';

/** Inputs of the model: those of the attention, and the tokens. `prefixMask` is present if prefixes are shared. */
type BatchName = 'tokens' | 'positions' | 'cos' | 'sin';
/** `sharpness` is 1 / temperature. */
const SCALAR_NAMES = ['sharpness', 'clipLow', 'clipHigh', 'beta'] as const;
type ScalarName = (typeof SCALAR_NAMES)[number];
/** Inputs of the loss. */
type LossName = 'targets' | TermName | ScalarName;
/** The inputs of a batch. */
type BatchTensors<T> = Tensors<BatchName, T>;

/** Input name of the gradient of a weight. The output of the same name is the input plus the gradient of this batch. */
export function gradientName(param: string): string {
  return `grad:${param}`;
}

/** A short name of a layout, for program keys. */
export function layoutName(l: Layout) {
  return `${l.groups}x(${l.prefix}+${l.branches}x${l.length})`;
}

/** The weights as inputs of a program. */
export function weightInputs(config: ModelConfig): Params<TensorSpec> {
  return Object.fromEntries(paramSpecs(config).map(({ name, shape }) => [name, f32(...shape)]));
}

/** The rotary tables as inputs of a program. */
export function ropeInputs(config: ModelConfig, positions: number) {
  return {
    cos: f32(positions, headSize(config) / 2),
    sin: f32(positions, headSize(config) / 2),
  };
}

function batchInputs(
  config: ModelConfig,
  layout: Layout,
  positions: number,
): BatchTensors<TensorSpec> {
  const rows = totalRows(layout);
  return {
    ...ropeInputs(config, positions),
    tokens: i32(rows),
    positions: i32(rows),
    ...(prefixRows(layout) > 0 && { prefixMask: f32(layout.groups, layout.prefix) }),
  };
}

/**
 * The scalar inputs of a program with a loss.
 * @param temperature the sampling temperature
 */
export function programScalars(loss: LossSpec, temperature: number) {
  return {
    ...lossScalars(loss),
    sharpness: 1 / temperature,
  };
}

function lossInputs(rows: number): Tensors<LossName, TensorSpec> {
  return {
    targets: i32(rows),
    ...makeTensors(TERM_NAMES, () => f32(rows)),
    ...makeTensors(SCALAR_NAMES, () => f32()),
  };
}

/** How a training program uses memory, and which tensors it trains. */
export interface TrainSettings {
  /** Adapters to train instead of the model's weights. */
  readonly adapters?: readonly LoraModule[];
  /** Maximum bytes of logits held at once: rows x V x 4. */
  readonly logitsBytes: number;
  /** Keep only the input of each layer and recompute the rest in the backward pass. */
  readonly recompute: boolean;
}

export const DEFAULT_TRAIN_SETTINGS: TrainSettings = {
  logitsBytes: ENGINE_DEFAULTS.logitsBytes,
  recompute: false,
};

/** The inputs of the attention of a batch. */
function attentionInputs<T>({ positions, cos, sin, prefixMask }: Tensors<AttentionName, T>) {
  return { positions, cos, sin, ...(prefixMask !== undefined && { prefixMask }) };
}
type AttentionName = Exclude<BatchName, 'tokens'>;

/** Hidden states of the branch rows, or with `all` of every row: [rows, D]. */
function batchHidden<T>(batch: BatchContext<T>, x: BatchTensors<T>, all = false): T {
  const attention = groupedAttention(batch, attentionInputs(x), all);
  return llamaHidden({ ...batch, params: x }, x.tokens, attention);
}

/** As {@link batchHidden}; with `recompute` only the input of each layer is kept for the backward pass. */
function trainedHidden<T>(
  batch: BatchContext<Var<T>> & { readonly ops: Tape<T> },
  x: BatchTensors<Var<T>>,
  { recompute }: TrainSettings,
): Var<T> {
  if (!recompute) return batchHidden(batch, x);
  const { ops: tape, config, layout } = batch;
  const runLayer = (layer: number, y: Var<T>) => {
    const rest = { ...paramsOf(x, layerPrefix(layer)), ...attentionInputs(x) };
    return checkpointLayer<AttentionName, T>(tape, y, rest, (ops, z, own) => {
      const attention = groupedAttention({ ops, config, layout }, attentionInputs(own));
      return llamaLayer({ ops, config, params: own }, layer, z, attention);
    });
  };
  const attention = groupedAttention(batch, attentionInputs(x));
  return llamaHidden({ ...batch, params: x }, x.tokens, attention, runLayer);
}

/** The parameters whose names begin with `prefix`. */
function paramsOf<T>(params: Params<T>, prefix: string): Params<T> {
  return Object.fromEntries(Object.entries(params).filter(([name]) => name.startsWith(prefix)));
}

const ROW_NAMES = ['targets', 'weights', 'old', 'advantages', 'ref'] as const;
type RowName = (typeof ROW_NAMES)[number];

/** The inputs of the output matrix and the losses. */
function lossRows<T>(
  { config, layout }: Pick<BatchContext<T>, 'config' | 'layout'>,
  hidden: T,
  x: Tensors<LossName, T>,
  { logitsBytes }: TrainSettings,
): RowsOfLoss<RowName, ScalarName, T> {
  return {
    x: hidden,
    rows: pickTensors<RowName, T>(x, ROW_NAMES),
    shared: { ...headParams(config, x), ...pickTensors<ScalarName, T>(x, SCALAR_NAMES) },
    lengths: headPieces(branchRows(layout), config.vocab_size, logitsBytes),
  };
}

/** Parameters of the output matrix. */
function headParams<T>(config: ModelConfig, params: Params<T>): Params<T> {
  return paramsOf(params, `${headName(config)}.`);
}

/** Splits rows into chunks of about equal length whose logits take at most `bytes`, with at least 16 rows each. */
export function headPieces(rows: number, vocabulary: number, bytes: number): number[] {
  const floats = bytes / Float32Array.BYTES_PER_ELEMENT;
  const most = Math.max(16, Math.floor(floats / vocabulary / 16) * 16);
  const count = Math.ceil(rows / most);
  const length = Math.ceil(rows / count / 16) * 16;
  const full = Array.from({ length: Math.ceil(rows / length) }, () => length);
  return full.with(-1, rows - length * (full.length - 1));
}

/**
 * hidden [R, D] -> log-probabilities of the next token, [R, V]. Scales `hidden` by `sharpness`, which is cheaper than
 * scaling logits.
 */
function logDistribution<T>(
  ops: Ops<T>,
  config: ModelConfig,
  params: Tensors<'sharpness', T>,
  hidden: T,
): T {
  const sharpened = ops.mul(hidden, params.sharpness);
  return ops.logSoftmax(llamaLogits({ ops, config, params }, sharpened));
}

type RowMetric = 'logp' | 'kl' | 'clipped';

/** The loss of some rows and their metrics, [R] each. */
function rowLoss(
  config: ModelConfig,
  shape: LossShape,
): LossOfRows<RowName, ScalarName, RowMetric> {
  return (ops, hidden, rows, shared) => {
    const all = logDistribution(ops, config, shared, hidden); // [R, V]
    const logp = ops.pickLast(all, rows.targets); // [R]
    const { loss, clipped, kl } = tokenLosses(ops, shape, { ...rows, logp }, shared);
    return {
      loss: ops.sum(ops.mul(loss, rows.weights), [0], false),
      rows: { logp, kl, clipped },
    };
  };
}

/** Names of the metrics that a training program returns. */
export const METRIC_NAMES = ['loss', 'kl', 'clipped', 'gap'] as const;
type MetricName = (typeof METRIC_NAMES)[number];

/** The sums that StepMetrics are computed from. */
function metricsOf<T>(
  ops: Ops<T>,
  { loss, rows }: RowLoss<RowMetric, T>,
  x: Tensors<'active' | 'old', T>,
): Record<MetricName, T> {
  const total = (name: 'kl' | 'clipped') => ops.sum(ops.mul(rows[name], x.active), [0], false);
  const gap = ops.abs(ops.sub(rows.logp, x.old));
  return {
    loss,
    kl: total('kl'),
    clipped: total('clipped'),
    gap: ops.maxAll(ops.mul(gap, x.active)),
  };
}

/** The program that computes loss and metrics of a batch, without a gradient. */
export function measureProgram(
  config: ModelConfig,
  layout: Layout,
  shape: LossShape,
  positions: number,
  settings: TrainSettings = DEFAULT_TRAIN_SETTINGS,
): Program<BatchName | LossName> {
  const { adapters = [] } = settings;
  return {
    name: `measure ${shape} ${layoutName(layout)}`,
    isLong: true,
    inputs: {
      ...weightInputs(config),
      ...adapterInputs(adapters),
      ...batchInputs(config, layout, positions),
      ...lossInputs(branchRows(layout)),
    },
    build: (ops, given) => {
      const x = { ...given, ...adapterScales(ops, adapters) };
      const batch = { ops, config, layout };
      const rows = lossRows(batch, batchHidden(batch, x), x, settings);
      return metricsOf(ops, measureOverRows(ops, rows, rowLoss(config, shape)), x);
    },
  };
}

/** Names of the trained tensors: those of the model, or of the adapters. */
function trainedNames(config: ModelConfig, { adapters }: TrainSettings): string[] {
  return (adapters ? adapterSpecs(adapters) : paramSpecs(config)).map(({ name }) => name);
}

/** The program that computes loss and metrics of a batch and adds its gradient to `grad:*`. */
export function trainProgram(
  config: ModelConfig,
  layout: Layout,
  shape: LossShape,
  positions: number,
  settings: TrainSettings = DEFAULT_TRAIN_SETTINGS,
): Program<BatchName | LossName> {
  const { inputs } = measureProgram(config, layout, shape, positions, settings);
  const names = trainedNames(config, settings);
  const sums = names.map((name) => [gradientName(name), requireParam(inputs, name)] as const);
  return {
    name: `train ${shape} ${layoutName(layout)}`,
    isLong: true,
    inputs: { ...inputs, ...Object.fromEntries(sums) },
    build: <T>(ops: Ops<T>, x: Tensors<BatchName | LossName, T>) => {
      const tape = new Tape(ops);
      const trained = new Set(names);
      const toVar = (value: T, name: string) =>
        trained.has(name) ? tape.variable(value) : tape.fixed(value);
      const values = {
        ...mapTensors<BatchName | LossName, T, Var<T>>(x, toVar),
        ...adapterScales(tape, settings.adapters ?? []),
      };
      const batch = { ops: tape, config, layout };
      const rows = lossRows(batch, trainedHidden(batch, values, settings), values, settings);
      const found = lossOverRows(tape, rows, rowLoss(config, shape));
      const wrt = names.map((name) => requireParam(values, name));
      const gradients = tape.gradients(found.loss, wrt);
      const added = names.map((name, i) => {
        const key = gradientName(name);
        return [key, ops.add(requireParam(x, key), gradients[i]!)] as const;
      });
      const metrics = mapTensors(metricsOf(tape, found, values), ({ value }: Var<T>) => value);
      return { ...Object.fromEntries(added), ...metrics };
    },
  };
}

/** The program that computes the logprobs of the targets of all rows, including prefixes: `logp` [N]. */
export function logprobProgram(
  config: ModelConfig,
  layout: Layout,
  positions: number,
  { logitsBytes }: TrainSettings = DEFAULT_TRAIN_SETTINGS,
): Program<BatchName | 'targets' | 'sharpness'> {
  const rows = totalRows(layout);
  const rowLogprobs: LossOfRows<'targets', 'sharpness', 'logp'> = (ops, hidden, own, shared) => {
    const logp = ops.pickLast(logDistribution(ops, config, shared, hidden), own.targets);
    return { loss: ops.sum(logp, [0], false), rows: { logp } };
  };
  return {
    name: `logprobs ${layoutName(layout)}`,
    isLong: true,
    inputs: {
      ...weightInputs(config),
      ...batchInputs(config, layout, positions),
      targets: i32(rows),
      sharpness: f32(),
    },
    build: <T>(ops: Ops<T>, x: Tensors<BatchName | 'targets' | 'sharpness', T>) => {
      const whole: RowsOfLoss<'targets', 'sharpness', T> = {
        x: batchHidden({ ops, config, layout }, x, true),
        rows: { targets: x.targets },
        shared: { ...headParams(config, x), sharpness: x.sharpness },
        lengths: headPieces(rows, config.vocab_size, logitsBytes),
      };
      return { logp: measureOverRows(ops, whole, rowLogprobs).rows.logp };
    },
  };
}
