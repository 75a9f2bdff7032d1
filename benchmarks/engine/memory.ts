/**
 * Compares the memory estimate with the memory of a process: for each case a fresh process opens a model of random
 * weights, trains two steps with sampling in between, and reports its peak resident memory.
 *
 *   node benchmarks/engine/memory.ts [--layers 30] [--rows 1024] [--only NAME]
 *
 * The model has the width and vocabulary of SmolLM2-135M; 30 layers are that model and need 8 GB.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { createLocalEngine } from '../../packages/engine/src/index.ts';
import { loraModules } from '../../packages/engine/src/lora/options.ts';
import { estimateMemory, type MemoryPlan } from '../../packages/engine/src/memory.ts';
import { paramSpecs, parseModelConfig } from '../../packages/engine/src/model/config.ts';
import { sizeOf } from '../../packages/engine/src/ops.ts';
import { announce, printTable } from './common.ts';

const { values } = parseArgs({
  options: {
    layers: { type: 'string', default: '30' },
    rows: { type: 'string', default: '1024' },
    only: { type: 'string' },
    /** Runs this case in this process; used to start the child processes. */
    case: { type: 'string' },
  },
});
const rows = Number(values.rows);
const length = 128;

const config = parseModelConfig({
  hidden_size: 576,
  num_hidden_layers: Number(values.layers),
  num_attention_heads: 9,
  num_key_value_heads: 3,
  intermediate_size: 1536,
  vocab_size: 49_152,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
});
const lora = { rank: 16, alpha: 32, targetModules: 'all-linear' };

const cases: Readonly<Record<string, Partial<MemoryPlan>>> = {
  'sampling alone': { trains: false },
  'adapters, recompute': { adapters: loraModules(config, lora), recompute: true },
  adapters: { adapters: loraModules(config, lora) },
  'full, recompute': { recompute: true },
  full: {},
};
function planOf(name: string): MemoryPlan {
  return {
    config,
    trains: true,
    reference: false,
    microBatchRows: rows,
    logitsBytes: 2 ** 26,
    recompute: false,
    shapes: 1,
    sequences: 16,
    maxTokens: Math.ceil(length / 3),
    cacheBytes: 2 ** 30,
    ...cases[name],
  };
}

/** Numbers of about the right size; drawing normal ones would take longer than everything else. */
function* cheapWeights() {
  for (const { name, shape } of paramSpecs(config)) {
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++)
      data[i] = shape.length === 1 ? 1 : (((i * 7919) % 1000) / 1000 - 0.5) * 0.05;
    yield [name, data] as const;
  }
}

async function runHere(name: string): Promise<void> {
  const { adapters, trains, recompute } = planOf(name);
  const engine = await createLocalEngine({
    config,
    seed: 1,
    weights: Object.fromEntries(cheapWeights()),
    microBatchRows: rows,
    ...(adapters && { lora }),
    recompute,
  });
  const tokens = (i: number, n: number) =>
    Int32Array.from({ length: n }, (_, t) => (i * 37 + t * t * 3 + t * 7) % config.vocab_size);
  const data = Array.from({ length: rows / length }, (_, i) => ({
    tokens: tokens(i, length + 1),
    weights: new Float32Array(length + 1).fill(1 / rows).fill(0, 0, 1),
  }));
  const sample = () =>
    engine.sample([tokens(1, 64), tokens(2, 64)], {
      groupSize: 8,
      maxTokens: 16,
      temperature: 1,
      seed: 1,
    });
  for (let step = 0; step < 2; step++) {
    await sample();
    if (!trains) continue;
    await engine.forwardBackward(data, { kind: 'cross_entropy' });
    await engine.optimStep({ learningRate: 1e-4 });
  }
  await engine.close();
  console.log(process.resourceUsage().maxRSS * 1024);
}

/** Peak resident memory of a child process, bytes. */
async function measure(name: string): Promise<number> {
  const self = fileURLToPath(import.meta.url);
  const args = [self, '--case', name, '--layers', values.layers, '--rows', values.rows];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout.trim().split('\n').at(-1));
}

if (values.case !== undefined) await runHere(values.case);
else {
  announce(`memory, ${config.num_hidden_layers} layers of SmolLM2's width, ${rows} rows`);
  const weights = paramSpecs(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0) * 4;
  const table = [];
  for (const name of Object.keys(cases)) {
    if (values.only !== undefined && name !== values.only) continue;
    const { total } = estimateMemory(planOf(name));
    // The given arrays exist beside the weights of the engine; loaded from a file they would not.
    const found = (await measure(name)) - weights;
    const gigabytes = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
    table.push([name, gigabytes(total), gigabytes(found), (total / found).toFixed(2)]);
  }
  printTable(['case', 'estimate, GB', 'measured, GB', 'estimate / measured'], table);
}
