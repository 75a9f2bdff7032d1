/**
 * How a model's makers want it sampled: `generation_config.json` in the words of SamplingOptions. Training does not follow
 * it, because logprobs are to be those of the policy itself; it is for looking at what a model says.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '@cipo/engine';
import { z } from 'zod';
import type { SamplingOptions } from '../types.ts';

export interface SamplingDefaults
  extends Pick<SamplingOptions, 'temperature' | 'topK' | 'topP' | 'minP'> {
  /** Settings that would change what is sampled and are not built in, with their values: `repetition_penalty 1.1`. */
  readonly ignored: readonly string[];
}

const number = z.number().nonnegative().nullish();
const schema = z.looseObject({
  do_sample: z.boolean().nullish(),
  temperature: number,
  top_k: z.number().int().nonnegative().nullish(),
  top_p: number,
  min_p: number,
});
/** Settings of transformers that change the distribution, and their values when off. */
const others: Readonly<Record<string, readonly unknown[]>> = {
  repetition_penalty: [1],
  encoder_repetition_penalty: [1],
  no_repeat_ngram_size: [0],
  typical_p: [1],
  epsilon_cutoff: [0],
  eta_cutoff: [0],
  num_beams: [1],
  guidance_scale: [1],
  bad_words_ids: [],
  suppress_tokens: [],
  sequence_bias: [],
};

/**
 * As transformers reads it: greedy unless `do_sample` is true; then temperature 1 and top-k 50 where it says nothing.
 * @throws naming the file and the key
 */
export function samplingDefaults(directory: string): SamplingDefaults {
  const path = join(directory, 'generation_config.json');
  const parsed = schema.safeParse(existsSync(path) ? readJson(path) : {});
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  const { do_sample, temperature, top_k, top_p, min_p } = parsed.data;
  const ignored = Object.entries(others)
    .map(([key, off]) => [key, parsed.data[key], off] as const)
    .filter(([, value, off]) => value !== undefined && value !== null && !off.includes(value))
    .map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  if (do_sample !== true) return { temperature: 0, ignored };
  return {
    temperature: temperature ?? 1,
    topK: top_k ?? 50,
    ...(typeof top_p === 'number' && { topP: top_p }),
    ...(typeof min_p === 'number' && { minP: min_p }),
    ignored,
  };
}
