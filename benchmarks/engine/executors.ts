/**
 * Measures one training step (forward, backward, AdamW) of a 3.48 M model, 8 sequences of 128 tokens, on every
 * available executor in one run. The executors take turns in each round, so that a busy machine is busy for all of
 * them.
 *
 *   node benchmarks/engine/executors.ts [--rounds 5] [--without-slow]
 *
 * "as it comes" is TensorFlow.js without changes: products transposed by flags. `--without-slow` leaves out tfjs cpu,
 * whose single step takes most of a minute.
 */
import { parseArgs } from 'node:util';
import { OnnxExecutor } from '../../packages/engine/src/executors/onnx/executor.ts';
import { findBackend } from '../../packages/engine/src/executors/tfjs/backends.ts';
import { TfjsExecutor } from '../../packages/engine/src/executors/tfjs/executor.ts';
import type { Executor } from '../../packages/engine/src/executors/types.ts';
import type { LocalEngine } from '../../packages/engine/src/local.ts';
import type { Datum } from '../../packages/trainer/src/types.ts';
import {
  announce,
  engineOn,
  medians,
  printTable,
  type Spent,
  spentOn,
  wideModel,
} from './common.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, 'without-slow': { type: 'boolean' } },
});
const rounds = Number(values.rounds);
const [sequences, length] = [8, 128];

interface Contestant {
  readonly name: string;
  /** Number of rounds that it takes part in; the slow ones are steady enough for few. */
  readonly rounds: number;
  open(): Promise<Executor>;
}

const baseline = 'tfjs wasm as it comes';
const contestants: Contestant[] = [
  ...[1, 2].map((threads) => ({
    name: `onnx cpu, ${threads} thread${threads > 1 ? 's' : ''}${threads > 1 ? ' (default on two cores)' : ''}`,
    rounds,
    open: async () => new OnnxExecutor({ threads }),
  })),
  {
    name: 'tfjs wasm',
    rounds: Math.min(rounds, 3),
    open: () => TfjsExecutor.create({ backend: 'wasm' }),
  },
  {
    name: baseline,
    rounds: Math.min(rounds, 2),
    open: () => TfjsExecutor.create({ backend: 'wasm', naive: true }),
  },
];
const { tf: native } = await findBackend('tensorflow');
if (native)
  contestants.push({
    name: 'tfjs tensorflow',
    rounds,
    open: () => TfjsExecutor.create({ backend: 'tensorflow' }),
  });
if (!values['without-slow'])
  contestants.push({
    name: 'tfjs cpu',
    rounds: 1,
    open: () => TfjsExecutor.create({ backend: 'cpu' }),
  });

/** Sequences have one token more than rows: the first token has no prediction. */
function batch(step: number): Datum[] {
  return Array.from({ length: sequences }, (_, i) => ({
    tokens: Int32Array.from(
      { length: length + 1 },
      (__, t) => (i * 37 + step * 11 + t * t * 3 + t * 7) % wideModel.vocab_size,
    ),
    weights: new Float32Array(length + 1).fill(1 / (sequences * length)).fill(0, 0, 1),
  }));
}

async function step(engine: LocalEngine, index: number): Promise<number> {
  const { loss } = await engine.forwardBackward(batch(index % 4), { kind: 'cross_entropy' });
  await engine.optimStep({ learningRate: 1e-3 });
  return loss;
}

announce(`training step, ${wideModel.hidden_size} wide, ${sequences} x ${length} tokens`);
const running = await Promise.all(
  contestants.map(async (contestant) => {
    const executor = await contestant.open();
    return {
      contestant,
      engine: engineOn(executor),
      spent: [] as Spent[],
      losses: [] as number[],
    };
  }),
);
for (let round = 0; round <= rounds; round++)
  for (const { contestant, engine, spent, losses } of running) {
    // Round 0 compiles and warms up; slow executors are not measured twice.
    const warmUp = round === 0 && contestant.rounds > 1;
    if (!warmUp && spent.length >= contestant.rounds) continue;
    const took = await spentOn(async () => losses.push(await step(engine, losses.length)));
    if (!warmUp) spent.push(took);
  }
const slowest = medians(running.find(({ contestant }) => contestant.name === baseline)!.spent);
const tokens = sequences * length;
printTable(
  ['executor', 'tokens/s', 'best', `x ${baseline}`, 'tokens per CPU second', 'loss of steps 1, 2'],
  running.map(({ contestant, spent, losses }) => {
    const { seconds, cpuSeconds } = medians(spent);
    return [
      contestant.name,
      (tokens / seconds).toFixed(0),
      (tokens / Math.min(...spent.map((run) => run.seconds))).toFixed(0),
      (slowest.seconds / seconds).toFixed(1),
      (tokens / cpuSeconds).toFixed(0),
      losses
        .slice(0, 2)
        .map((loss) => loss.toFixed(5))
        .join(', '),
    ];
  }),
);
for (const { engine } of running) await engine.close();
