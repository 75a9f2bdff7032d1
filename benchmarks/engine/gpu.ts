/**
 * Measures a GPU in one run, beside PyTorch on the same GPU: matrix products by size and type, the cost of an
 * operation, training and rollout tokens per second of a 135 M and a 0.5 B model with random weights, and where the
 * time goes. docs/guide/backends.md says what to install.
 *
 *   node benchmarks/engine/gpu.ts [--toy] [--backends onnx:webgpu,tfjs:webgpu] [--only
 * products,dispatch,training,rollouts,kernels]
 *                                 [--models "135 M,0.5 B"] [--rounds 3] [--without-peer]
 *
 * `--toy` is for a software driver: the same code at sizes whose figures mean nothing. Missing backends are named and
 * skipped.
 */
import { parseArgs } from 'node:util';
import { openExecutor } from '../../packages/engine/src/executors/open.ts';
import { productRate } from '../../packages/engine/src/executors/probe.ts';
import type { Executor, ExecutorName } from '../../packages/engine/src/executors/types.ts';
import type { NamedArrays } from '../../packages/engine/src/weights/store.ts';
import { announce, median, printTable } from './common.ts';
import { profilePrograms, sumsBy } from './gpu/kernels.ts';
import {
  dispatch,
  engineFor,
  randomWeights,
  rollouts,
  trainingStep,
  trainingTokens,
} from './gpu/measure.ts';
import { card, type GpuModel, toy } from './gpu/shapes.ts';
import { type Cost, WatchedExecutor } from './gpu/watched.ts';
import { Peer } from './peer.ts';

const { values } = parseArgs({
  options: {
    toy: { type: 'boolean', default: false },
    backends: { type: 'string', default: 'onnx:webgpu,tfjs:webgpu,tfjs:tensorflow' },
    only: { type: 'string', default: 'products,dispatch,training,rollouts,kernels' },
    models: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    'without-peer': { type: 'boolean', default: false },
  },
});
const plan = values.toy ? toy : card;
const rounds = Number(values.rounds);
const wants = new Set(values.only.split(','));

interface Place {
  readonly name: string;
  open(): Promise<Executor>;
}

async function places(): Promise<Place[]> {
  const found: Place[] = [];
  for (const name of values.backends.split(',')) {
    const [executor, backend] = name.split(':') as [ExecutorName, string];
    const open = () => openExecutor({ executor, backend });
    try {
      const opened = await open();
      console.log(`${name}: ${opened.description}`);
      await opened.close();
      found.push({ name, open });
    } catch (error) {
      console.log(`${name}: left out, ${error instanceof Error ? error.message : error}`);
    }
  }
  return found;
}

function digits(x: number | undefined): string {
  return x === undefined ? '' : x.toPrecision(3);
}
function whole(x: number): string {
  return x.toFixed(0);
}

async function products(found: readonly Place[], peer: Peer | undefined): Promise<void> {
  console.log('\n## Products of n x n, TFLOP/s\n');
  const rows: string[][] = [];
  for (const { name, open } of found) {
    const executor = await open();
    for (const type of ['f32', 'f16', 'bf16'] as const) {
      const rates = [];
      for (const n of plan.sides) rates.push(await productRate(executor, type, n));
      if (rates.every((rate) => rate === undefined)) continue;
      const teraflops = rates.map((rate) => rate && rate.gigaflops / 1000);
      rows.push([`${name} ${type}`, ...teraflops.map(digits)]);
    }
    await executor.close();
  }
  for (const type of peer ? ['f32', 'tf32', 'f16', 'bf16'] : []) {
    const rates = [];
    for (const n of plan.sides)
      rates.push((await peer!.ask<{ tflops: number }>({ ask: 'product', type, n })).tflops);
    rows.push([`PyTorch ${type}`, ...rates.map(digits)]);
  }
  printTable(['', ...plan.sides.map(String)], rows);
}

async function dispatches(found: readonly Place[], peer: Peer | undefined): Promise<void> {
  console.log('\n## One more operation on 64 numbers, microseconds\n');
  const rows: string[][] = [];
  for (const { name, open } of found) {
    const executor = await open();
    rows.push([name, digits(await dispatch(executor, plan.chain))]);
    await executor.close();
  }
  if (peer) {
    const request = { ask: 'dispatch', chain: plan.chain };
    rows.push([
      'PyTorch, eager',
      digits((await peer.ask<{ microseconds: number }>(request)).microseconds),
    ]);
  }
  printTable(['', 'microseconds'], rows);
}

/** A model and its random weights. */
interface Weighted {
  readonly model: GpuModel;
  readonly weights: NamedArrays;
}

interface PeerRate {
  readonly tokensPerSecond: number;
  readonly megabytes: number | null;
}

/** The result of a measurement: its table row, and where the time went. */
interface Measured {
  readonly tokensPerSecond: number;
  readonly costs: ReadonlyMap<string, Cost>;
  readonly seconds: number;
}

async function training(
  found: readonly Place[],
  { model, weights }: Weighted,
  peer: Peer | undefined,
): Promise<void> {
  const { sequences, length } = plan.training;
  console.log(`\n## Training ${model.name}, ${sequences} x ${length} tokens a step\n`);
  const rows: string[][] = [];
  const spent: [string, Measured][] = [];
  for (const { name, open } of found) {
    const measured = await onEngine(open, model, weights, async (engine, round) => {
      await trainingStep(engine, trainingTokens(model, plan.training, round));
      return sequences * length;
    });
    rows.push([`${name} f32`, whole(measured.tokensPerSecond), '']);
    spent.push([name, measured]);
  }
  const tokens = trainingTokens(model, plan.training, 0).map((sequence) => [...sequence]);
  for (const type of peer ? ['f32', 'bf16'] : []) {
    const request = { ask: 'training', config: model.written, type, tokens, rounds };
    rows.push(peerRow(type, await peer!.ask<PeerRate>(request)));
  }
  printTable(['', 'tokens/s', 'peak MB'], rows);
  whereTimeGoes(spent);
}

async function writing(
  found: readonly Place[],
  { model, weights }: Weighted,
  peer: Peer | undefined,
): Promise<void> {
  for (const shape of plan.rollouts) {
    const { sequences, prompt, write } = shape;
    console.log(
      `\n## Rollouts of ${model.name}, ${sequences} sequences, ${prompt} tokens read, ${write} written\n`,
    );
    const rows: string[][] = [];
    const spent: [string, Measured][] = [];
    for (const { name, open } of found) {
      const measured = await onEngine(open, model, weights, (engine) =>
        rollouts(engine, model, shape),
      );
      rows.push([`${name} f32`, whole(measured.tokensPerSecond), '']);
      spent.push([name, measured]);
    }
    for (const type of peer ? ['f32', 'bf16'] : []) {
      const request = { ask: 'rollouts', config: model.written, type, ...shape, rounds };
      rows.push(peerRow(type, await peer!.ask<PeerRate>(request)));
    }
    printTable(['', 'tokens/s', 'peak MB'], rows);
    whereTimeGoes(spent);
  }
}

function peerRow(type: string, { tokensPerSecond, megabytes }: PeerRate): string[] {
  return [`PyTorch ${type}`, whole(tokensPerSecond), megabytes === null ? '' : whole(megabytes)];
}

/**
 * Runs work on a fresh engine, once to compile and then `rounds` times.
 * @returns the median tokens per second
 */
async function onEngine(
  open: () => Promise<Executor>,
  model: GpuModel,
  weights: NamedArrays,
  work: (engine: ReturnType<typeof engineFor>, round: number) => Promise<number>,
): Promise<Measured> {
  const executor = new WatchedExecutor(await open());
  const engine = engineFor(executor, model, weights);
  await work(engine, 0);
  executor.restart();
  const rates: number[] = [];
  let total = 0;
  for (let round = 1; round <= rounds; round++) {
    const began = performance.now();
    const tokens = await work(engine, round);
    const seconds = (performance.now() - began) / 1000;
    rates.push(tokens / seconds);
    total += seconds;
  }
  await engine.close();
  return { tokensPerSecond: median(rates), costs: executor.costs, seconds: total };
}

function whereTimeGoes(spent: readonly (readonly [string, Measured])[]): void {
  const rows = spent.flatMap(([name, { costs, seconds }]) => {
    const kinds = [...costs].filter(([, cost]) => cost.runs > 0);
    const inRuns = kinds.reduce((sum, [, cost]) => sum + cost.seconds, 0);
    const share = (part: number) => `${((100 * part) / seconds).toFixed(0)} %`;
    const megabytes = (bytes: number, { runs }: Cost) => (bytes / runs / 1e6).toFixed(2);
    return [
      ...kinds.map(([kind, cost]) => [
        name,
        kind,
        String(cost.runs),
        ((1000 * cost.seconds) / cost.runs).toFixed(2),
        share(cost.seconds),
        megabytes(cost.bytesIn, cost),
        megabytes(cost.bytesOut, cost),
      ]),
      [name, 'outside of runs', '', '', share(seconds - inRuns), '', ''],
    ];
  });
  console.log('');
  printTable(['', 'program', 'runs', 'ms a run', 'of the time', 'MB in a run', 'MB out'], rows);
}

/** Profiles onnx:webgpu, whose library has a profiler: two training steps, and a few tokens of the largest rollouts. */
async function kernels({ model, weights }: Weighted): Promise<void> {
  const shape = { ...plan.rollouts.at(-1)!, write: 8 };
  const profiles = await profilePrograms(async (executor) => {
    const engine = engineFor(executor, model, weights);
    for (let step = 0; step < 2; step++)
      await trainingStep(engine, trainingTokens(model, plan.training, step));
    await rollouts(engine, model, shape);
    await engine.close();
  });
  for (const [program, all] of Map.groupBy(profiles, (profile) => profile.program)) {
    const times = all.flatMap((profile) => profile.kernels);
    const here = all.reduce((sum, profile) => sum + profile.here, 0);
    const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    console.log(
      `\n## Kernels of ${model.name}, ${program}: ${times.length} in ${digits(total)} ms on the card, ${digits(here)} ms here\n`,
    );
    const byKernel = sumsBy(times, ({ kernel }) => kernel).slice(0, 8);
    const byShape = sumsBy(times, ({ kernel, shapes }) => `${kernel}, ${shapes}`).slice(0, 12);
    const rows = [...byKernel, ...byShape].map(({ name, count, milliseconds }) => [
      name,
      String(count),
      digits(milliseconds),
      `${((100 * milliseconds) / total).toFixed(0)} %`,
    ]);
    printTable(['kernel', 'runs', 'ms', 'of the time'], rows);
  }
}

announce('a card, beside PyTorch');
const found = await places();
if (found.length === 0) throw new Error('none of the backends is here: nothing to measure');
const peer = values['without-peer'] ? undefined : new Peer('gpu_peer.py', 2);
if (peer) {
  const { name, torch } = await peer.ask<{ name: string; torch: string }>({ ask: 'machine' });
  console.log(`PyTorch ${torch}: ${name}`);
}
if (wants.has('products')) await products(found, peer);
if (wants.has('dispatch')) await dispatches(found, peer);
const models = plan.models.filter(
  ({ name }) => values.models === undefined || values.models.split(',').includes(name),
);
const hasKernels = wants.has('kernels') && found.some(({ name }) => name === 'onnx:webgpu');
for (const model of wants.has('training') || wants.has('rollouts') || hasKernels ? models : []) {
  const weighted = { model, weights: randomWeights(model) };
  if (wants.has('training')) await training(found, weighted, peer);
  if (wants.has('rollouts')) await writing(found, weighted, peer);
  if (hasKernels) await kernels(weighted);
}
peer?.close();
