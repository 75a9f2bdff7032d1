/**
 * Rollout tokens per second with a key/value cache, for B sequences at once: each alone with its prompt (G = 1), and
 * in groups of eight that share one. Prompts have 64 tokens, completions 96, none ends early.
 *
 *   node benchmarks/engine/sampling.ts [--rounds 3] [--threads 2]
 *
 * The peer in the same run is the decode without help: the whole sequence read again for every token.
 */
import { parseArgs } from 'node:util';
import type { ModelConfig } from '../../packages/trainer/src/engine/config.ts';
import { OnnxExecutor } from '../../packages/trainer/src/engine/executors/onnx/executor.ts';
import type { LocalEngine } from '../../packages/trainer/src/engine/local.ts';
import {
  announce,
  engineOn,
  median,
  printTable,
  secondsOf,
  smallModel,
  wideModel,
} from './common.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, threads: { type: 'string', default: '2' } },
});
const rounds = Number(values.rounds);
const threads = Number(values.threads);
const [promptLength, maxTokens] = [64, 96];
const batches = [1, 16, 64, 256];

const prompts = (config: ModelConfig, count: number) =>
  Array.from({ length: count }, (_, i) =>
    Int32Array.from(
      { length: promptLength },
      (__, t) => 1 + ((t * 7 + i * 13) % (config.vocab_size - 1)),
    ),
  );

/** Seconds for B sequences in groups of G. */
async function sample(engine: LocalEngine, batch: number, groupSize: number): Promise<number> {
  const options = { groupSize, maxTokens, temperature: 1, seed: 1 };
  const some = prompts(engine.config, batch / groupSize);
  const runs: number[] = [];
  for (let round = 0; round <= rounds; round++)
    runs.push(await secondsOf(() => engine.sample(some, options)));
  return median(runs.slice(1));
}

/** Seconds for one token of B sequences without a cache, half way through: the whole sequence is scored. */
async function reread(engine: LocalEngine, batch: number): Promise<number> {
  const some = prompts(engine.config, batch).map((prompt) =>
    Int32Array.of(...prompt, ...prompt.subarray(0, maxTokens / 2)),
  );
  await engine.logprobs(some);
  return maxTokens * (await secondsOf(() => engine.logprobs(some)));
}

for (const config of [smallModel, wideModel]) {
  // No token ends a sequence here: every one is written to its full length.
  const engine = engineOn(new OnnxExecutor({ threads }), { ...config, eos_token_id: -1 });
  announce(
    `sampling, ${(engine.parameterCount / 1e6).toFixed(2)} M parameters, ${threads} threads`,
  );
  const rows = [];
  for (const batch of batches) {
    const tokens = batch * maxTokens;
    const alone = tokens / (await sample(engine, batch, 1));
    const grouped = batch < 8 ? undefined : tokens / (await sample(engine, batch, 8));
    const naive = tokens / (await reread(engine, batch));
    const best = Math.max(alone, grouped ?? 0);
    rows.push([
      String(batch),
      alone.toFixed(0),
      grouped?.toFixed(0) ?? '-',
      naive.toFixed(0),
      (best / naive).toFixed(1),
    ]);
  }
  printTable(['B', 'tokens/s, G = 1', 'tokens/s, G = 8', 'without a cache', 'ratio'], rows);
  await engine.close();
}
