/**
 * Compares batched generation with generate() of transformers on PyTorch: the same weights, prompts and number of
 * threads, float32, a key/value cache on both sides, one process each. Prompts of mixed lengths (8 to 96 tokens), 64
 * new tokens each, none ends early. Both take turns in each round, so that a busy machine is busy for both.
 *
 *   node benchmarks/engine/generate.ts [--rounds 3] [--threads 2] [--only 135] [--batches 1,8,32] [--model DIR]
 *
 * Needs the Python of setup-peer.sh. First compares greedy sequences: they must agree except for ties. With --model the
 * 135 M weights are those of a Hugging Face folder, otherwise random ones of that shape. With the Python of
 * benchmarks/models/setup-peer.sh, the greedy decode of llama.cpp in float32 is measured as the upper bound.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLocalEngine, readModel } from '../../packages/engine/src/index.ts';
import {
  huggingFaceConfig,
  type ModelConfig,
  paramSpecs,
} from '../../packages/engine/src/model/config.ts';
import { hash32 } from '../../packages/engine/src/sampling/random.ts';
import { writeSafetensors } from '../../packages/engine/src/weights/safetensors.ts';
import { initialWeights, type NamedArrays } from '../../packages/engine/src/weights/store.ts';
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
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    batches: { type: 'string', default: '1,8,32' },
    only: { type: 'string', default: '' },
    model: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const threads = Number(values.threads);
const batches = values.batches.split(',').map(Number);
const maxTokens = 64;

interface Answer extends Spent {
  readonly tokens: readonly (readonly number[])[];
}

function promptsOf(config: ModelConfig, count: number): Int32Array[] {
  return Array.from({ length: count }, (_, b) =>
    Int32Array.from(
      { length: 8 + (hash32(b) % 89) },
      (__, t) => 3 + (hash32(b, t) % (config.vocab_size - 3)),
    ),
  );
}

async function weightsOf(config: ModelConfig): Promise<NamedArrays> {
  if (config === smolModel && values.model) return (await readModel(values.model)).weights;
  // Larger than initial weights, so that the most likely token stands out.
  const weights = initialWeights(config, 1);
  for (const [name, data] of Object.entries(weights))
    if (!name.includes('norm')) for (let i = 0; i < data.length; i++) data[i]! *= 3;
  return weights;
}

async function openPeer(script: string, config: ModelConfig, weights: NamedArrays): Promise<Peer> {
  const directory = await mkdtemp(join(tmpdir(), 'cipo-peer-'));
  const path = join(directory, 'model.safetensors');
  const tensors = paramSpecs(config).map(
    ({ name, shape }) => [name, { shape, data: weights[name]! }] as const,
  );
  await writeSafetensors(path, Object.fromEntries(tensors), { metadata: { format: 'pt' } });
  const peer = new Peer(script, threads);
  try {
    await peer.ask({ config: huggingFaceConfig(config), weights: path, threads });
    return peer;
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function openCeiling(config: ModelConfig, weights: NamedArrays): Promise<Peer | undefined> {
  try {
    return await openPeer('peer_llamacpp.py', config, weights);
  } catch (error) {
    console.error(`without llama.cpp: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

async function contest(name: string, model: ModelConfig): Promise<string[][]> {
  const weights = await weightsOf(model);
  const peer = await openPeer('peer_generate.py', model, weights);
  const ceiling = await openCeiling(model, weights);
  const { eos_token_id: _, ...config } = model; // no token ends a sequence here
  const engine = await createLocalEngine({ config, seed: 1, weights, threads });
  const rows: string[][] = [];
  for (const batch of batches) {
    const prompts = promptsOf(config, batch);
    const request = { prompts: prompts.map((prompt) => [...prompt]), maxTokens };
    const options = { groupSize: 1, maxTokens, seed: 1 };
    const greedy = await engine.sample(prompts, { ...options, temperature: 0 });
    const expected = await peer.ask<Answer>({ ...request, sample: false });
    const equal = greedy.filter(
      ([sample], b) => sample!.tokens.join() === expected.tokens[b]!.join(),
    );
    const [ours, theirs, best]: [Spent[], Spent[], Spent[]] = [[], [], []];
    for (let round = 0; round <= rounds; round++) {
      const took = await spentOn(() => engine.sample(prompts, { ...options, temperature: 1 }));
      const answer = await peer.ask<Answer>({ ...request, sample: true });
      const llama = await ceiling?.ask<Answer>(request);
      // Round 0 compiles and warms up.
      if (round > 0) {
        ours.push(took);
        theirs.push(answer);
        if (llama) best.push(llama);
      }
    }
    const [we, they] = [medians(ours), medians(theirs)];
    rows.push([
      name,
      String(batch),
      ((batch * maxTokens) / we.seconds).toFixed(0),
      ((batch * maxTokens) / they.seconds).toFixed(0),
      (they.seconds / we.seconds).toFixed(2),
      (they.cpuSeconds / we.cpuSeconds).toFixed(2),
      ceiling ? ((batch * maxTokens) / medians(best).seconds).toFixed(0) : '-',
      ceiling ? (medians(best).cpuSeconds / we.cpuSeconds).toFixed(2) : '-',
      `${equal.length} of ${batch}`,
    ]);
    console.error(rows.at(-1)!.join(' | '));
  }
  peer.close();
  ceiling?.close();
  await engine.close();
  return rows;
}

announce(`generation of ${maxTokens} tokens after prompts of 8 to 96, ${threads} threads`);
const rows = [];
for (const [name, config] of [
  ['3.5 M', wideModel],
  [values.model ? 'SmolLM2-135M' : '135 M', smolModel],
] as const)
  if (name.includes(values.only)) rows.push(...(await contest(name, config)));
printTable(
  [
    'model',
    'B',
    'tokens/s',
    'transformers',
    'x',
    'x, CPU time',
    'llama.cpp',
    'x, CPU time',
    'equal greedy sequences',
  ],
  rows,
);
