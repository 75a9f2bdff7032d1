import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { samplingDefaults } from './generation.ts';

const folder = mkdtempSync(join(tmpdir(), 'cipo-generation-'));
afterAll(() => rmSync(folder, { recursive: true }));
const read = (config: object) => {
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify(config));
  return samplingDefaults(folder);
};

describe('samplingDefaults', () => {
  test('sampling is greedy unless do_sample is true, whatever else the file says', () => {
    expect(samplingDefaults(join(folder, 'nowhere'))).toEqual({ temperature: 0, ignored: [] });
    expect(read({ temperature: 0.7, top_p: 0.8 })).toEqual({ temperature: 0, ignored: [] });
  });

  test('samplingDefaults gives the values of the file, and the defaults of transformers for absent ones', () => {
    const qwen = { do_sample: true, temperature: 0.7, top_p: 0.8, top_k: 20, eos_token_id: [1, 2] };
    expect(read(qwen)).toEqual({ temperature: 0.7, topP: 0.8, topK: 20, ignored: [] });
    expect(read({ do_sample: true, min_p: 0.05, top_p: null })).toEqual({
      temperature: 1,
      topK: 50,
      minP: 0.05,
      ignored: [],
    });
  });

  test('samplingDefaults lists the unsupported settings that have an effect', () => {
    const found = read({ do_sample: true, repetition_penalty: 1.05, num_beams: 1, typical_p: 0.9 });
    expect(found.ignored).toEqual(['repetition_penalty 1.05', 'typical_p 0.9']);
  });

  test('an invalid value is refused with its file and key', () => {
    expect(() => read({ temperature: 'hot' })).toThrow(/generation_config\.json.*temperature/s);
  });
});
