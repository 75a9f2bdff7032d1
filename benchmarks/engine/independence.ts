/**
 * Measures how much a rollout depends on what it is batched with: the same prompts with 512 and 16 sequences at once,
 * with one thread and two, one alone, and repeated. Prints the differing sequences and the logprob differences of equal
 * sequences (nats), and the difference to the logprobs of the training pass.
 *
 *   node benchmarks/engine/independence.ts [--model DIR]
 *
 * With --model only that model is measured, on fewer rollouts.
 */
import { parseArgs } from 'node:util';
import {
  createLocalEngine,
  type LocalEngine,
  loadLocalEngine,
} from '../../packages/engine/src/index.ts';
import type { ModelConfig } from '../../packages/engine/src/model/config.ts';
import { initialWeights } from '../../packages/engine/src/weights/store.ts';
import type { Sample } from '../../packages/trainer/src/types.ts';
import { announce, printTable, smallModel } from './common.ts';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const narrowModel: ModelConfig = {
  ...smallModel,
  hidden_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 6,
  num_key_value_heads: 6,
  head_dim: 16,
  intermediate_size: 256,
};

interface Run {
  readonly threads?: number;
  readonly maxSequences?: number;
  /** Number of prompts, from the first on. */
  readonly count?: number;
}
type Open = (run: Required<Run>) => Promise<LocalEngine>;

/** Initial weights times four, so that distributions are far from uniform. */
function livelyEngine(config: ModelConfig): Open {
  const weights = initialWeights(config, 1);
  for (const [name, data] of Object.entries(weights))
    if (!name.includes('norm')) weights[name] = data.map((x) => x * 4);
  return ({ threads, maxSequences }) =>
    createLocalEngine({ config, seed: 1, weights, threads, maxSequences });
}

function compare(found: readonly Sample[], expected: readonly Sample[]): string[] {
  const equal = found.map((s, i) => s.tokens.join() === expected[i]!.tokens.join());
  const gaps = found.flatMap((s, i) =>
    equal[i] ? Array.from(s.logprobs, (x, t) => Math.abs(x - expected[i]!.logprobs[t]!)) : [],
  );
  return [
    `${equal.filter((same) => !same).length} of ${found.length}`,
    `${gaps.filter((gap) => gap > 0).length} of ${gaps.length}`,
    Math.max(0, ...gaps).toExponential(1),
  ];
}

async function measure(name: string, open: Open, prompts: number, maxTokens: number) {
  const asked = Array.from({ length: prompts }, (_, i) =>
    Int32Array.from({ length: 20 + ((i * 17) % 90) }, (__, t) => 2 + ((t * 7 + i * 13) % 78)),
  );
  const options = { groupSize: 8, maxTokens, temperature: 1, seed: 3 };
  const sample = async ({ threads = 2, maxSequences = 512, count = prompts }: Run) => {
    const engine = await open({ threads, maxSequences, count });
    const samples = (await engine.sample(asked.slice(0, count), options)).flat();
    const scored = await engine.logprobs(
      samples.map(({ tokens }, i) => Int32Array.of(...asked[Math.floor(i / 8)]!, ...tokens)),
    );
    await engine.close();
    return {
      samples,
      scored: samples.map((s, i) => ({ ...s, logprobs: scored[i]!.slice(-s.tokens.length) })),
    };
  };
  announce(`${name}, ${prompts * options.groupSize} rollouts of up to ${maxTokens} tokens`);
  const { samples: usual, scored } = await sample({});
  const against = async (run: Run, many = usual.length) =>
    compare((await sample(run)).samples, usual.slice(0, many));
  printTable(
    [
      'against 2 threads, 512 sequences',
      'sequences that differ',
      'logprobs that differ',
      'largest difference',
    ],
    [
      ['the same again', ...(await against({}))],
      ['1 thread', ...(await against({ threads: 1 }))],
      ['16 sequences, refilled', ...(await against({ maxSequences: 16 }))],
      ['one prompt alone', ...(await against({ count: 1 }, options.groupSize))],
      [
        'one rollout at a time',
        ...(await against({ count: 1, maxSequences: 1 }, options.groupSize)),
      ],
      ['the training pass', ...compare(scored, usual)],
    ],
  );
}

if (values.model) {
  const path = values.model;
  await measure(path.split('/').at(-1)!, (run) => loadLocalEngine(path, run), 3, 24);
} else
  for (const config of [smallModel, narrowModel])
    await measure(
      `${config.hidden_size} wide, ${config.num_hidden_layers} layers`,
      livelyEngine(config),
      24,
      80,
    );
