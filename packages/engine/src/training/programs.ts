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
  branchRows,
  groupedAttention,
  type Layout,
  prefixRows,
  totalRows,
} from '../model/attention.ts';
import { headSize, type ModelConfig, paramSpecs } from '../model/config.ts';
import { headName, layerPrefix, llamaHidden, llamaLayer, llamaLogits } from '../model/llama.ts';
import { f32, i32, type Ops, type TensorSpec } from '../ops.ts';
import type { LossSpec } from '../types.ts';
import { type LossShape, lossScalars, tokenLosses } from './losses.ts';

type Specs = Record<string, TensorSpec>;
type Values<T> = Readonly<Record<string, T>>;

/** Input name of the gradient of a weight. The output of the same name is the input plus the gradient of this batch. */
export function gradientName(param: string): string {
  return `grad:${param}`;
}

/** A short name of a layout, for program keys. */
export function layoutName(l: Layout) {
  return `${l.groups}x(${l.prefix}+${l.branches}x${l.length})`;
}

/** The weights as inputs of a program. */
export function weightInputs(config: ModelConfig): Specs {
  return Object.fromEntries(paramSpecs(config).map(({ name, shape }) => [name, f32(...shape)]));
}

/** The rotary tables as inputs of a program. */
export function ropeInputs(config: ModelConfig, positions: number): Specs {
  return {
    cos: f32(positions, headSize(config) / 2),
    sin: f32(positions, headSize(config) / 2),
  };
}

function batchInputs(config: ModelConfig, layout: Layout, positions: number): Specs {
  const rows = totalRows(layout);
  return {
    ...ropeInputs(config, positions),
    tokens: i32(rows),
    positions: i32(rows),
    ...(prefixRows(layout) > 0 && { prefixMask: f32(layout.groups, layout.prefix) }),
  };
}

/** `sharpness` is 1 / temperature. */
const SCALAR_NAMES = ['sharpness', 'clipLow', 'clipHigh', 'beta'] as const;

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

function lossInputs(rows: number): Specs {
  return {
    targets: i32(rows),
    ...Object.fromEntries(
      ['weights', 'active', 'old', 'advantages', 'ref'].map((name) => [name, f32(rows)]),
    ),
    ...Object.fromEntries(SCALAR_NAMES.map((name) => [name, f32()])),
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

/** Inputs of the attention of a batch. */
const ATTENTION_NAMES = ['positions', 'cos', 'sin', 'prefixMask'] as const;

/** The attention of a batch; `all` as in {@link groupedAttention}. */
function batchAttention<T>(
  ops: Ops<T>,
  config: ModelConfig,
  layout: Layout,
  x: Values<T>,
  all = false,
) {
  const { positions, cos, sin, prefixMask } = x;
  const inputs = {
    positions: positions!,
    cos: cos!,
    sin: sin!,
    ...(prefixMask !== undefined && { prefixMask }),
  };
  return groupedAttention(ops, config, layout, inputs, all);
}

/** Hidden states of the branch rows, or with `all` of every row: [rows, D]. */
function batchHidden<T>(
  ops: Ops<T>,
  config: ModelConfig,
  layout: Layout,
  x: Values<T>,
  all = false,
): T {
  return llamaHidden(ops, config, x, x.tokens!, batchAttention(ops, config, layout, x, all));
}

/** As {@link batchHidden}; with `recompute` only the input of each layer is kept for the backward pass. */
function trainedHidden<T>(
  tape: Tape<T>,
  config: ModelConfig,
  layout: Layout,
  x: Values<Var<T>>,
  { recompute }: TrainSettings,
): Var<T> {
  if (!recompute) return batchHidden(tape, config, layout, x);
  const runLayer = (layer: number, y: Var<T>) => {
    const at = layerPrefix(layer);
    const isRead = (name: string) => name.startsWith(at) || ATTENTION_NAMES.some((n) => n === name);
    const rest = Object.fromEntries(Object.entries(x).filter(([name]) => isRead(name)));
    return checkpointLayer(tape, y, rest, (ops, z, params) =>
      llamaLayer(ops, config, params, layer, z, batchAttention(ops, config, layout, params)),
    );
  };
  const attention = batchAttention(tape, config, layout, x);
  return llamaHidden(tape, config, x, x.tokens!, attention, runLayer);
}

const ROW_NAMES = ['targets', 'weights', 'old', 'advantages', 'ref'] as const;

/** The inputs of the output matrix and the losses. */
function lossRows<T>(
  config: ModelConfig,
  layout: Layout,
  hidden: T,
  x: Values<T>,
  { logitsBytes }: TrainSettings,
): RowsOfLoss<T> {
  const chosen = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, x[name]!]));
  return {
    x: hidden,
    rows: chosen(ROW_NAMES),
    shared: { ...headParams(config, x), ...chosen(SCALAR_NAMES) },
    lengths: headPieces(branchRows(layout), config.vocab_size, logitsBytes),
  };
}

/** Parameters of the output matrix. */
function headParams<T>(config: ModelConfig, x: Values<T>): Record<string, T> {
  const at = `${headName(config)}.`;
  return Object.fromEntries(Object.entries(x).filter(([name]) => name.startsWith(at)));
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
function logDistribution<T>(ops: Ops<T>, config: ModelConfig, params: Values<T>, hidden: T): T {
  const sharpened = ops.mul(hidden, params.sharpness!);
  return ops.logSoftmax(llamaLogits(ops, config, params, sharpened));
}

/** The loss of some rows and their metrics, [R] each. */
function rowLoss(config: ModelConfig, shape: LossShape): LossOfRows {
  return <T>(ops: Ops<T>, hidden: T, rows: Values<T>, shared: Values<T>) => {
    const all = logDistribution(ops, config, shared, hidden); // [R, V]
    const logp = ops.pickLast(all, rows.targets!); // [R]
    const terms = { logp, old: rows.old!, advantages: rows.advantages!, ref: rows.ref! };
    const scalars = {
      clipLow: shared.clipLow!,
      clipHigh: shared.clipHigh!,
      beta: shared.beta!,
    };
    const { loss, clipped, kl } = tokenLosses(ops, shape, terms, scalars);
    return {
      loss: ops.sum(ops.mul(loss, rows.weights!), [0], false),
      rows: { logp, kl, clipped },
    };
  };
}

/** Names of the metrics that a training program returns. */
export const METRIC_NAMES = ['loss', 'kl', 'clipped', 'gap'] as const;

/** The sums that StepMetrics are computed from. */
function metricsOf<T>(
  ops: Ops<T>,
  { loss, rows }: RowLoss<T>,
  x: Values<T>,
): Record<(typeof METRIC_NAMES)[number], T> {
  const total = (name: string) => ops.sum(ops.mul(rows[name]!, x.active!), [0], false);
  const gap = ops.abs(ops.sub(rows.logp!, x.old!));
  return {
    loss,
    kl: total('kl'),
    clipped: total('clipped'),
    gap: ops.maxAll(ops.mul(gap, x.active!)),
  };
}

/** The program that computes loss and metrics of a batch, without a gradient. */
export function measureProgram(
  config: ModelConfig,
  layout: Layout,
  shape: LossShape,
  positions: number,
  settings: TrainSettings = DEFAULT_TRAIN_SETTINGS,
): Program {
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
      const hidden = batchHidden(ops, config, layout, x);
      const rows = lossRows(config, layout, hidden, x, settings);
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
): Program {
  const { inputs } = measureProgram(config, layout, shape, positions, settings);
  const names = trainedNames(config, settings);
  const sums = names.map((name) => [gradientName(name), inputs[name]!] as const);
  return {
    name: `train ${shape} ${layoutName(layout)}`,
    isLong: true,
    inputs: { ...inputs, ...Object.fromEntries(sums) },
    build: <T>(ops: Ops<T>, x: Values<T>) => {
      const tape = new Tape(ops);
      const trained = new Set(names);
      const vars = Object.entries(x).map(
        ([name, value]) =>
          [name, trained.has(name) ? tape.variable(value) : tape.fixed(value)] as const,
      );
      const values = {
        ...Object.fromEntries(vars),
        ...adapterScales(tape, settings.adapters ?? []),
      };
      const hidden = trainedHidden(tape, config, layout, values, settings);
      const rows = lossRows(config, layout, hidden, values, settings);
      const found = lossOverRows(tape, rows, rowLoss(config, shape));
      const wrt = names.map((name) => values[name]!);
      const gradients = tape.gradients(found.loss, wrt);
      const added = names.map((name, i) => {
        const key = gradientName(name);
        return [key, ops.add(x[key]!, gradients[i]!)] as const;
      });
      const metrics = Object.entries(metricsOf(tape, found, values));
      const measured = metrics.map(([name, { value }]) => [name, value] as const);
      return Object.fromEntries([...added, ...measured]);
    },
  };
}

/** The program that computes the logprobs of the targets of all rows, including prefixes: `logp` [N]. */
export function logprobProgram(
  config: ModelConfig,
  layout: Layout,
  positions: number,
  { logitsBytes }: TrainSettings = DEFAULT_TRAIN_SETTINGS,
): Program {
  const rows = totalRows(layout);
  const rowLogprobs: LossOfRows = (ops, hidden, { targets }, shared) => {
    const logp = ops.pickLast(logDistribution(ops, config, shared, hidden), targets!);
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
    build: (ops, x) => {
      const whole = {
        x: batchHidden(ops, config, layout, x, true),
        rows: { targets: x.targets! },
        shared: { ...headParams(config, x), sharpness: x.sharpness! },
        lengths: headPieces(rows, config.vocab_size, logitsBytes),
      };
      return { logp: measureOverRows(ops, whole, rowLogprobs).rows.logp! };
    },
  };
}
