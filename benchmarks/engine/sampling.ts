/**
 * Measures rollout tokens per second with a key/value cache, for B sequences at once: each with its own prompt (G = 1),
 * and in groups of eight that share one. Prompts have 64 tokens, completions 96, none ends early.
 *
 *   node benchmarks/engine/sampling.ts [--rounds 3] [--threads 2]
 *
 * The comparison in the same run is decoding without a cache: the whole sequence is read again for every token.
 */
import { parseArgs } from 'node:util';
import { OnnxExecutor } from '../../packages/engine/src/executors/onnx/executor.ts';
import type { LocalEngine } from '../../packages/engine/src/local.ts';
import type { ModelConfig } from '../../packages/engine/src/model/config.ts';
import {
  announce,
  engineOn,
  medians,
  printTable,
  type Spent,
  smallModel,
  spentOn,
  wideModel,
} from './common.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, threads: { type: 'string', default: '2' } },
});
const rounds = Number(values.rounds);
const threads = Number(values.threads);
const [promptLength, maxTokens] = [64, 96];
const batches = [1, 16, 64, 256];

function prompts(config: ModelConfig, count: number) {
  return Array.from({ length: count }, (_, i) =>
    Int32Array.from(
      { length: promptLength },
      (__, t) => 1 + ((t * 7 + i * 13) % (config.vocab_size - 1)),
    ),
  );
}

/** B sequences in groups of G. */
async function sample(engine: LocalEngine, batch: number, groupSize: number): Promise<Spent> {
  const options = { groupSize, maxTokens, temperature: 1, seed: 1 };
  const some = prompts(engine.config, batch / groupSize);
  const runs: Spent[] = [];
  for (let round = 0; round <= rounds; round++)
    runs.push(await spentOn(() => engine.sample(some, options)));
  return medians(runs.slice(1));
}

/** One token of B sequences without a cache, at half the length: the whole sequence is scored. */
async function reread(engine: LocalEngine, batch: number): Promise<Spent> {
  const some = prompts(engine.config, batch).map((prompt) =>
    Int32Array.of(...prompt, ...prompt.subarray(0, maxTokens / 2)),
  );
  await engine.logprobs(some);
  return spentOn(() => engine.logprobs(some));
}

for (const config of [smallModel, wideModel]) {
  // No token ends a sequence, so each has its full length.
  const engine = engineOn(new OnnxExecutor({ threads }), { ...config, eos_token_id: -1 });
  announce(
    `sampling, ${(engine.parameterCount / 1e6).toFixed(2)} M parameters, ${threads} threads`,
  );
  const rows = [];
  for (const batch of batches) {
    const tokens = batch * maxTokens;
    const alone = await sample(engine, batch, 1);
    const grouped = batch < 8 ? undefined : await sample(engine, batch, 8);
    const naive = await reread(engine, batch);
    rows.push([
      String(batch),
      (tokens / alone.seconds).toFixed(0),
      grouped ? (tokens / grouped.seconds).toFixed(0) : '-',
      (batch / naive.seconds).toFixed(0),
      (tokens / alone.cpuSeconds).toFixed(0),
      grouped ? (tokens / grouped.cpuSeconds).toFixed(0) : '-',
      (batch / naive.cpuSeconds).toFixed(0),
      (tokens / (grouped ?? alone).cpuSeconds / (batch / naive.cpuSeconds)).toFixed(1),
    ]);
  }
  const per = (unit: string) => [`${unit}, G = 1`, 'G = 8', 'without a cache'];
  printTable(['B', ...per('tokens/s'), ...per('tokens per CPU second'), 'ratio (CPU)'], rows);
  await engine.close();
}
