/**
 * Measures the gain of continuous batching when sequences end at very different lengths: 8 times as many rollouts as
 * run at once, with geometric lengths (mean about 27 tokens, at most 160). The comparison runs the same prompts in
 * waves, each of which ends before the next begins. Both take turns in one run.
 *
 *   node benchmarks/engine/refill.ts [--rounds 3] [--threads 2] [--sequences 64]
 */
import { parseArgs } from 'node:util';
import { createLocalEngine, type LocalEngine } from '../../packages/engine/src/index.ts';
import type { ModelConfig } from '../../packages/engine/src/model/config.ts';
import type { Sample, SamplingOptions } from '../../packages/trainer/src/types.ts';
import {
  announce,
  medians,
  printTable,
  type Spent,
  smallModel,
  spentOn,
  wideModel,
} from './common.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    sequences: { type: 'string', default: '64' },
  },
});
const rounds = Number(values.rounds);
const threads = Number(values.threads);
const sequences = Number(values.sequences);
const [waves, maxTokens, meanLength] = [8, 160, 27];

function prompts({ vocab_size: v }: ModelConfig, count: number) {
  return Array.from({ length: count }, (_, b) =>
    Int32Array.from({ length: 20 + ((b * 17) % 60) }, (__, t) => 1 + ((t * 7 + b * 13) % (v - 1))),
  );
}

/** Initial weights give nearly uniform distributions, so every 27th token of the vocabulary is a stop token. */
function optionsOf(config: ModelConfig, groupSize: number): SamplingOptions {
  return {
    groupSize,
    maxTokens,
    temperature: 1,
    seed: 1,
    stopTokens: Array.from({ length: Math.round(config.vocab_size / meanLength) }, (_, i) => i),
  };
}

async function inWaves(
  engine: LocalEngine,
  all: readonly Int32Array[],
  options: SamplingOptions,
): Promise<Sample[]> {
  const size = sequences / options.groupSize;
  const samples: Sample[] = [];
  for (let start = 0; start < all.length; start += size)
    samples.push(...(await engine.sample(all.slice(start, start + size), options)).flat());
  return samples;
}

async function compare(engine: LocalEngine, groupSize: number): Promise<string[]> {
  const all = prompts(engine.config, (waves * sequences) / groupSize);
  const options = optionsOf(engine.config, groupSize);
  const ways = [
    () => inWaves(engine, all, options),
    async () => (await engine.sample(all, options)).flat(),
  ];
  const spent = ways.map(() => [] as Spent[]);
  const tokens = [0, 0];
  for (let round = 0; round <= rounds; round++)
    for (const [i, way] of ways.entries()) {
      let samples: Sample[] = [];
      const took = await spentOn(async () => {
        samples = await way();
      });
      tokens[i] = samples.reduce((n, sample) => n + sample.tokens.length, 0);
      if (round > 0) spent[i]!.push(took); // round 0 compiles
    }
  const rates = spent.map((runs, i) => {
    const { seconds, cpuSeconds } = medians(runs);
    return { wall: tokens[i]! / seconds, cpu: tokens[i]! / cpuSeconds };
  });
  const [wave, refill] = [rates[0]!, rates[1]!];
  return [
    `${(engine.parameterCount / 1e6).toFixed(2)} M`,
    String(groupSize),
    wave.wall.toFixed(0),
    refill.wall.toFixed(0),
    (refill.wall / wave.wall).toFixed(2),
    (refill.cpu / wave.cpu).toFixed(2),
  ];
}

announce(
  `refill against waves, ${sequences} sequences, ${waves * sequences} rollouts, ${threads} threads`,
);
const rows = [];
for (const config of [smallModel, wideModel]) {
  const engine = await createLocalEngine({ config, seed: 1, threads, maxSequences: sequences });
  for (const groupSize of [1, 8]) {
    rows.push(await compare(engine, groupSize));
    console.error(rows.at(-1)!.join(' | '));
  }
  await engine.close();
}
printTable(['model', 'G', 'tokens/s in waves', 'with refill', 'x', 'x, CPU time'], rows);
