/** Shared by the engine benchmarks: models, the name of the machine, medians and tables. */
import { cpus, loadavg } from 'node:os';
import type { Executor } from '../../packages/engine/src/executors/types.ts';
import { ENGINE_DEFAULTS } from '../../packages/engine/src/limits.ts';
import { LocalEngine } from '../../packages/engine/src/local.ts';
import { parseModelConfig } from '../../packages/engine/src/model/config.ts';
import { initialWeights } from '../../packages/engine/src/weights/store.ts';

/** 3.48 M parameters: the model of the first measurements, kept so that figures can be compared. */
export const wideModel = parseModelConfig({
  hidden_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 8,
  intermediate_size: 704,
  vocab_size: 512,
  max_position_embeddings: 256,
  eos_token_id: 0,
});

/** 0.76 M parameters: a policy that trains on two cores in minutes. */
export const smallModel = parseModelConfig({
  hidden_size: 128,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 352,
  vocab_size: 80,
  max_position_embeddings: 256,
  eos_token_id: 0,
});

/** The configuration of SmolLM2-135M: 30 layers of 576, 9 heads over 3, 49,152 tokens, tied. */
export const smolWritten = {
  model_type: 'llama',
  hidden_size: 576,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  intermediate_size: 1536,
  vocab_size: 49_152,
  max_position_embeddings: 2048,
  rope_theta: 100_000,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  eos_token_id: 2,
};
export const smolModel = parseModelConfig(smolWritten);

export function engineOn(executor: Executor, config = wideModel): LocalEngine {
  const weights = initialWeights(config, 1);
  return new LocalEngine({
    config,
    executor,
    weights,
    limits: ENGINE_DEFAULTS,
  });
}

export function median(xs: readonly number[]): number {
  return xs.toSorted((a, b) => a - b)[Math.floor(xs.length / 2)] ?? Number.NaN;
}

export interface Spent {
  readonly seconds: number;
  /** CPU seconds of all threads of this process; more reliable than the clock on a shared machine. */
  readonly cpuSeconds: number;
}

export async function spentOn(work: () => Promise<unknown>): Promise<Spent> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 };
}

/** Medians of several measurements. */
export function medians(runs: readonly Spent[]): Spent {
  return {
    seconds: median(runs.map((run) => run.seconds)),
    cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
  };
}

/** Prints the machine and its load: figures of a busy machine are ratios at best. */
export function announce(what: string): void {
  const load = loadavg().map((x) => x.toFixed(1));
  console.log(
    `${what}\n${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, load ${load.join(' ')}\n`,
  );
}

export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  console.log([line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n'));
}
