/**
 * The programs an engine trains and scores with, each a pure function of named tensors. Written over {@link Ops}; what
 * runs them is an Executor. Those that sample are in sampling/programs.ts, those of the optimizer in adamw.ts.
 */

import { headSize, type ModelConfig, paramSpecs } from './config.ts';
import type { Program } from './executors/types.ts';
import { type LossShape, tokenLosses } from './losses.ts';
import {
  branchRows,
  groupedAttention,
  type Layout,
  prefixRows,
  totalRows,
} from './model/attention.ts';
import { llamaHidden, llamaLogits } from './model/llama.ts';
import { f32, i32, type Ops, type TensorSpec } from './ops.ts';
import { Tape } from './tape.ts';

type Specs = Record<string, TensorSpec>;
type Values<T> = Readonly<Record<string, T>>;

/** Input name of the gradient of a weight; the output of the same name is the sum with this batch's. */
export const gradientName = (param: string): string => `grad:${param}`;

export const layoutName = (l: Layout) => `${l.groups}x(${l.prefix}+${l.branches}x${l.length})`;

export const weightInputs = (config: ModelConfig): Specs =>
  Object.fromEntries(paramSpecs(config).map(({ name, shape }) => [name, f32(...shape)]));

export const ropeInputs = (config: ModelConfig, positions: number): Specs => ({
  cos: f32(positions, headSize(config) / 2),
  sin: f32(positions, headSize(config) / 2),
});

function batchInputs(config: ModelConfig, layout: Layout, positions: number): Specs {
  const rows = totalRows(layout);
  return {
    ...ropeInputs(config, positions),
    tokens: i32(rows),
    positions: i32(rows),
    ...(prefixRows(layout) > 0 && { prefixMask: f32(layout.groups, layout.prefix) }),
  };
}

const lossInputs = (rows: number): Specs => ({
  targets: i32(rows),
  ...Object.fromEntries(
    ['weights', 'active', 'old', 'advantages', 'ref'].map((name) => [name, f32(rows)]),
  ),
  ...Object.fromEntries(['clipLow', 'clipHigh', 'beta'].map((name) => [name, f32()])),
});

/** Log-distribution of every branch row, or with `all` of every row: [rows, V]. */
function logDistribution<T>(
  ops: Ops<T>,
  config: ModelConfig,
  layout: Layout,
  x: Values<T>,
  all = false,
): T {
  const { positions, cos, sin, prefixMask } = x;
  const inputs = {
    positions: positions!,
    cos: cos!,
    sin: sin!,
    ...(prefixMask !== undefined && { prefixMask }),
  };
  const attention = groupedAttention(ops, config, layout, inputs, all);
  const hidden = llamaHidden(ops, config, x, x.tokens!, attention);
  return ops.logSoftmax(llamaLogits(ops, config, x, hidden));
}

/** The loss, to be differentiated, and the sums StepMetrics are made of. */
function batchLoss<T>(
  ops: Ops<T>,
  config: ModelConfig,
  layout: Layout,
  shape: LossShape,
  x: Values<T>,
): Record<string, T> {
  const all = logDistribution(ops, config, layout, x); // [N, V]
  const logp = ops.pickLast(all, x.targets!); // [N]
  const terms = { logp, old: x.old!, advantages: x.advantages!, ref: x.ref! };
  const scalars = { clipLow: x.clipLow!, clipHigh: x.clipHigh!, beta: x.beta! };
  const { loss, clipped, kl } = tokenLosses(ops, shape, terms, scalars);
  const total = (y: T, weights: T) => ops.sum(ops.mul(y, weights), [0], false);
  const still = ops.stopGradient(all);
  const entropy = ops.neg(ops.sum(ops.mul(ops.exp(still), still), [1], false));
  const gap = ops.abs(ops.sub(logp, x.old!));
  return {
    loss: total(loss, x.weights!),
    entropy: total(entropy, x.active!),
    kl: total(kl, x.active!),
    clipped: total(clipped, x.active!),
    gap: ops.maxAll(ops.mul(gap, x.active!)),
  };
}

export const metricNames = ['loss', 'entropy', 'kl', 'clipped', 'gap'] as const;

/** Loss and metrics of a batch; no gradient. */
export function measureProgram(
  config: ModelConfig,
  layout: Layout,
  shape: LossShape,
  positions: number,
): Program {
  return {
    name: `measure ${shape} ${layoutName(layout)}`,
    inputs: {
      ...weightInputs(config),
      ...batchInputs(config, layout, positions),
      ...lossInputs(branchRows(layout)),
    },
    build: (ops, x) => batchLoss(ops, config, layout, shape, x),
  };
}

/** Loss and metrics of a batch, and its gradient added to what `grad:*` hold. */
export function trainProgram(
  config: ModelConfig,
  layout: Layout,
  shape: LossShape,
  positions: number,
): Program {
  const { inputs } = measureProgram(config, layout, shape, positions);
  const names = paramSpecs(config).map((param) => param.name);
  const sums = names.map((name) => [gradientName(name), inputs[name]!] as const);
  return {
    name: `train ${shape} ${layoutName(layout)}`,
    inputs: { ...inputs, ...Object.fromEntries(sums) },
    build: <T>(ops: Ops<T>, x: Values<T>) => {
      const tape = new Tape(ops);
      const vars = Object.entries(x).map(
        ([name, value]) =>
          [name, names.includes(name) ? tape.variable(value) : tape.fixed(value)] as const,
      );
      const values = Object.fromEntries(vars);
      const metrics = batchLoss(tape, config, layout, shape, values);
      const wrt = names.map((name) => values[name]!);
      const gradients = tape.gradients(metrics.loss!, wrt);
      const outputs = Object.entries(metrics).map(([name, { value }]) => [name, value] as const);
      const added = names.map((name, i) => {
        const key = gradientName(name);
        return [key, ops.add(x[key]!, gradients[i]!)] as const;
      });
      return Object.fromEntries([...outputs, ...added]);
    },
  };
}

/** Logprobs of the targets of all rows, those of prefixes too: `logp` [N]. */
export function logprobProgram(config: ModelConfig, layout: Layout, positions: number): Program {
  return {
    name: `logprobs ${layoutName(layout)}`,
    inputs: {
      ...weightInputs(config),
      ...batchInputs(config, layout, positions),
      targets: i32(totalRows(layout)),
    },
    build: (ops, x) => ({
      logp: ops.pickLast(logDistribution(ops, config, layout, x, true), x.targets!),
    }),
  };
}
