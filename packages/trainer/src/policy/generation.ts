/**
 * The sampling settings that a model's authors recommend: `generation_config.json` as SamplingOptions. Use them to look
 * at what a model generates. Training does not use them: its logprobs must be those of the policy itself.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '@cipo/engine';
import { z } from 'zod';
import { FileError } from '../errors.ts';
import type { SamplingOptions } from '../types.ts';

/** Recommended sampling settings. */
export interface SamplingDefaults
  extends Pick<SamplingOptions, 'temperature' | 'topK' | 'topP' | 'minP'> {
  /** Settings with an effect that the engine does not support, with their values: `repetition_penalty 1.1`. */
  readonly ignored: readonly string[];
}

/** The defaults of transformers for `do_sample`. */
const DEFAULT_TEMPERATURE = 1;
const DEFAULT_TOP_K = 50;

const nonNegative = z.number().nonnegative().nullish();
const schema = z.looseObject({
  do_sample: z.boolean().nullish(),
  temperature: nonNegative,
  top_k: z.number().int().nonnegative().nullish(),
  top_p: nonNegative,
  min_p: nonNegative,
});

/** Settings of transformers that change the distribution and are not supported, with the values that disable them. */
const UNSUPPORTED: Readonly<Record<string, readonly unknown[]>> = {
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
 * Reads `generation_config.json` of a model folder as transformers does: greedy unless `do_sample` is true, and then
 * temperature 1 and top-k 50 unless the file says otherwise. Without the file: greedy.
 * @throws {FileError} naming the file and the key
 */
export function samplingDefaults(directory: string): SamplingDefaults {
  const path = join(directory, 'generation_config.json');
  const parsed = schema.safeParse(existsSync(path) ? readJson(path) : {});
  if (!parsed.success) throw new FileError(`${path}: ${z.prettifyError(parsed.error)}`);
  const { do_sample, temperature, top_k, top_p, min_p } = parsed.data;
  const ignored = Object.entries(UNSUPPORTED)
    .map(([key, off]) => [key, parsed.data[key], off] as const)
    .filter(([, value, off]) => value !== undefined && value !== null && !off.includes(value))
    .map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  if (do_sample !== true) return { temperature: 0, ignored };
  return {
    temperature: temperature ?? DEFAULT_TEMPERATURE,
    topK: top_k ?? DEFAULT_TOP_K,
    ...(typeof top_p === 'number' && { topP: top_p }),
    ...(typeof min_p === 'number' && { minP: min_p }),
    ignored,
  };
}
