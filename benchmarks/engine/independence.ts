/**
 * How far a rollout depends on what it is batched with: the same prompts in waves of 512 and 16 lanes, with one thread
 * and two, one alone, and once more as before. Prints what differs: sequences, and logprobs of equal sequences (nats).
 *
 *   node benchmarks/engine/independence.ts
 */
import type { ModelConfig } from '../../packages/trainer/src/engine/config.ts';
import { OnnxExecutor } from '../../packages/trainer/src/engine/executors/onnx/executor.ts';
import { LocalEngine } from '../../packages/trainer/src/engine/local.ts';
import { initialWeights } from '../../packages/trainer/src/engine/weights/store.ts';
import type { Sample } from '../../packages/trainer/src/types.ts';
import { announce, printTable, smallModel } from './common.ts';

const narrowModel: ModelConfig = {
  ...smallModel,
  hidden_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 6,
  num_key_value_heads: 6,
  head_dim: 16,
  intermediate_size: 256,
};
const prompts = Array.from({ length: 24 }, (_, i) =>
  Int32Array.from({ length: 20 + ((i * 17) % 90) }, (__, t) => 2 + ((t * 7 + i * 13) % 78)),
);
const options = { groupSize: 8, maxTokens: 80, temperature: 1, seed: 3 };

/** Initial weights four times as large, so that distributions are far from uniform. */
async function sample(
  config: ModelConfig,
  threads: number,
  maxLanes: number,
  count = prompts.length,
) {
  const weights = initialWeights(config, 1);
  for (const [name, data] of Object.entries(weights))
    if (!name.includes('norm')) weights[name] = data.map((x) => x * 4);
  const executor = new OnnxExecutor({ threads });
  const engine = new LocalEngine({
    config,
    executor,
    weights,
    microBatchRows: 2048,
    maxLanes,
    cacheBytes: 2 ** 32,
  });
  const samples = await engine.sample(prompts.slice(0, count), options);
  await engine.close();
  return samples.flat();
}

function compare(found: readonly Sample[], expected: readonly Sample[]): string[] {
  const equal = found.map((s, i) => s.tokens.join() === expected[i]!.tokens.join());
  const gaps = found.flatMap((s, i) =>
    equal[i] ? Array.from(s.logprobs, (x, t) => Math.abs(x - expected[i]!.logprobs[t]!)) : [],
  );
  const differing = gaps.filter((gap) => gap > 0).length;
  return [
    `${equal.filter((same) => !same).length} of ${found.length}`,
    `${differing} of ${gaps.length}`,
    Math.max(0, ...gaps).toExponential(1),
  ];
}

for (const config of [smallModel, narrowModel]) {
  announce(
    `${config.hidden_size} wide, ${config.num_hidden_layers} layers, ${prompts.length * options.groupSize} rollouts`,
  );
  const usual = await sample(config, 2, 512);
  printTable(
    [
      'against 2 threads, 512 lanes',
      'sequences that differ',
      'logprobs that differ',
      'largest difference',
    ],
    [
      ['the same again', ...compare(await sample(config, 2, 512), usual)],
      ['1 thread', ...compare(await sample(config, 1, 512), usual)],
      ['16 lanes', ...compare(await sample(config, 2, 16), usual)],
      [
        'one prompt alone',
        ...compare(await sample(config, 2, 512, 1), usual.slice(0, options.groupSize)),
      ],
    ],
  );
}
