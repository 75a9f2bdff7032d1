/** Checks the options of a sampling call. */

import { EngineError } from '../errors.ts';
import { checkRules, isWhole, type Rule } from '../rules.ts';
import type { SamplingOptions } from '../types.ts';

/** Logits divided by a smaller temperature may be infinite in float32. */
export const LEAST_TEMPERATURE = 1e-30;

/** Whether logits can be divided by x. */
export function isTemperature(x: number): boolean {
  return x >= LEAST_TEMPERATURE && x < Infinity;
}

/** @throws EngineError `config` naming the option, its value and what is allowed */
export function checkOptions(options: SamplingOptions, prompts: number, vocabulary: number): void {
  const { groupSize, maxTokens, temperature, topK = 0, topP = 1, minP = 0, seed } = options;
  const seeds: readonly (readonly [string, number])[] =
    typeof seed === 'number' ? [['seed', seed]] : seed.map((one, b) => [`seed[${b}]`, one]);
  const rules: Rule[] = [
    ['groupSize', groupSize, isWhole(groupSize, 1), 'a whole number of at least 1'],
    ['maxTokens', maxTokens, isWhole(maxTokens, 1), 'a whole number of at least 1'],
    [
      'temperature',
      temperature,
      temperature === 0 || isTemperature(temperature),
      `0 or a number of at least ${LEAST_TEMPERATURE}`,
    ],
    ['topK', topK, isWhole(topK, 0), 'a whole number of at least 0'],
    ['topP', topP, topP > 0 && topP <= 1, 'a number above 0 and at most 1'],
    ['minP', minP, minP >= 0 && minP <= 1, 'a number from 0 to 1'],
    ...seeds.map(([name, one]): Rule => [name, one, Number.isSafeInteger(one), 'a whole number']),
  ];
  checkRules('sampling option', rules);
  if (typeof seed !== 'number' && seed.length !== prompts)
    throw new EngineError(
      'config',
      `sampling option seed: expected ${prompts} seeds, one per prompt, got ${seed.length}`,
    );
  checkStops(options, vocabulary);
}

function checkStops(options: SamplingOptions, vocabulary: number): void {
  const { stopTokens = [], stopStrings = [], decode } = options;
  for (const [i, id] of stopTokens.entries())
    if (!isWhole(id, 0) || id >= vocabulary)
      throw new EngineError(
        'config',
        `sampling option stopTokens[${i}]: expected a token of the vocabulary of ${vocabulary}, got ${id}`,
      );
  const empty = stopStrings.indexOf('');
  if (empty >= 0)
    throw new EngineError(
      'config',
      `sampling option stopStrings[${empty}]: expected a non-empty string`,
    );
  if (stopStrings.length > 0 && !decode)
    throw new EngineError(
      'config',
      'sampling option stopStrings: decode is missing, which turns tokens into text',
    );
}
