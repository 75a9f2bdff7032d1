/**
 * Compares one training step (forward, backward, AdamW) with PyTorch: LlamaForCausalLM of transformers, sdpa attention,
 * fused AdamW, float32, the same initial weights, batches and number of threads, one process each. Both take turns in
 * each round, so that a busy machine is busy for both.
 *
 *   node benchmarks/engine/training.ts [--rounds N] [--threads 2] [--only NAME] [--sequences 8] [--length 128]
 *
 * Rounds: 60 of the small model, 5 of the others. Needs the Python of setup-peer.sh. Prints the losses of both, which
 * must agree.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  createLocalEngine,
  type LocalEngine,
  type LoraOptions,
} from '../../packages/engine/src/index.ts';
import { type ModelConfig, paramSpecs } from '../../packages/engine/src/model/config.ts';
import { writeSafetensors } from '../../packages/engine/src/weights/safetensors.ts';
import { initialWeights, type NamedArrays } from '../../packages/engine/src/weights/store.ts';
import type { Datum } from '../../packages/trainer/src/types.ts';
import {
  announce,
  medians,
  printTable,
  type Spent,
  smolModel,
  spentOn,
  wideModel,
} from './common.ts';
import { Peer } from './peer.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    threads: { type: 'string', default: '2' },
    sequences: { type: 'string', default: '8' },
    length: { type: 'string', default: '128' },
    only: { type: 'string' },
  },
});
const threads = Number(values.threads);
const sequences = Number(values.sequences);
const length = Number(values.length);

/** The answer of peer_training.py for a step. */
interface StepAnswer extends Spent {
  readonly loss: number;
  readonly peakMb: number;
}

interface Contest {
  readonly name: string;
  readonly config: ModelConfig;
  readonly lora?: LoraOptions;
  readonly rounds: number;
}
const lora: LoraOptions = { rank: 16, alpha: 32, targetModules: 'all-linear' };
const contests: Contest[] = [
  { name: '3.5 M, full', config: wideModel, rounds: 60 },
  { name: '135 M, full', config: smolModel, rounds: 5 },
  { name: '135 M, LoRA of rank 16 on all linear layers', config: smolModel, lora, rounds: 5 },
];

function sequencesOf(config: ModelConfig, step: number): Int32Array[] {
  return Array.from({ length: sequences }, (_, i) =>
    Int32Array.from(
      { length: length + 1 },
      (__, t) => (i * 37 + step * 11 + t * t * 3 + t * 7) % config.vocab_size,
    ),
  );
}

/** Sequences have one token more than rows: the first token has no prediction. */
function dataOf(tokens: readonly Int32Array[]): Datum[] {
  return tokens.map((sequence) => ({
    tokens: sequence,
    weights: new Float32Array(length + 1).fill(1 / (sequences * length)).fill(0, 0, 1),
  }));
}

async function step(engine: LocalEngine, tokens: readonly Int32Array[]): Promise<number> {
  const { loss } = await engine.forwardBackward(dataOf(tokens), { kind: 'cross_entropy' });
  await engine.optimStep({ learningRate: 1e-3 });
  return loss;
}

/** Starts the peer with the weights of the engine, and its adapter if it has one. */
async function openPeer(
  contest: Contest,
  engine: LocalEngine,
  weights: NamedArrays,
): Promise<Peer> {
  const directory = await mkdtemp(join(tmpdir(), 'cipo-peer-'));
  const path = join(directory, 'model.safetensors');
  const { config, lora: adapter } = contest;
  const tensors = paramSpecs(config).map(({ name, shape }) => [
    name,
    { shape, data: weights[name]! },
  ]);
  await writeSafetensors(path, Object.fromEntries(tensors), { metadata: { format: 'pt' } });
  if (adapter) await engine.save(directory, { weightsOnly: true });
  const peer = new Peer('peer_training.py', threads);
  await peer.ask({ config, weights: path, threads, adapter: adapter ? directory : null });
  await rm(directory, { recursive: true });
  return peer;
}

async function run(contest: Contest): Promise<string[]> {
  const { config } = contest;
  const weights = initialWeights(config, 1);
  const engine = await createLocalEngine({
    config,
    seed: 1,
    weights,
    threads,
    ...(contest.lora && { lora: contest.lora }),
  });
  const peer = await openPeer(contest, engine, weights);
  const [ours, theirs]: [Spent[], Spent[]] = [[], []];
  const losses: [number, number][] = [];
  const rounds = Number(values.rounds ?? contest.rounds);
  for (let round = 0; round <= rounds; round++) {
    const tokens = sequencesOf(config, round % 4);
    let loss = 0;
    const took = await spentOn(async () => {
      loss = await step(engine, tokens);
    });
    const answer = await peer.ask<StepAnswer>({ tokens: tokens.map((t) => [...t]) });
    losses.push([loss, answer.loss]);
    // Round 0 compiles and warms up.
    if (round === 0) continue;
    ours.push(took);
    theirs.push(answer);
  }
  peer.close();
  await engine.close();
  const [we, they] = [medians(ours), medians(theirs)];
  const perSecond = (spent: Spent) => ((sequences * length) / spent.seconds).toFixed(0);
  // Of the first step: later ones differ by accumulated rounding.
  const gap = Math.max(...losses.slice(0, 6).map(([a, b]) => Math.abs(a - b) / b));
  return [
    contest.name,
    perSecond(we),
    perSecond(they),
    (they.seconds / we.seconds).toFixed(2),
    (they.cpuSeconds / we.cpuSeconds).toFixed(2),
    gap.toExponential(1),
  ];
}

announce(`training step, ${sequences} x ${length} tokens, ${threads} threads`);
const rows = [];
for (const contest of contests)
  if (values.only === undefined || contest.name.includes(values.only))
    rows.push(await run(contest));
printTable(
  ['model', 'tokens/s', 'PyTorch', 'x PyTorch', 'x, CPU time', 'largest relative gap of losses'],
  rows,
);
