import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocalEngine, type EngineOptions, type LocalEngine } from '../index.ts';
import { integers, livelyWeights, tinyConfig } from '../testing/data.ts';
import type { DrawnToken, Sample, SamplingOptions, TokenIds } from '../types.ts';
import { hash32 } from './random.ts';
import { withoutStop } from './stops.ts';

const weights = livelyWeights(tinyConfig, 7);
const options: SamplingOptions = { groupSize: 2, maxTokens: 24, temperature: 1, seed: 5 };
const prompts = Array.from({ length: 9 }, (_, i) => integers(i, 1 + (hash32(i) % 30), 2, 13));
const opened: LocalEngine[] = [];

async function open(more: Partial<EngineOptions> = {}): Promise<LocalEngine> {
  const engine = await createLocalEngine({
    config: tinyConfig,
    seed: 1,
    weights,
    threads: 1,
    ...more,
  });
  opened.push(engine);
  return engine;
}
let engine: LocalEngine;
beforeAll(async () => {
  engine = await open();
});
afterAll(() => Promise.all(opened.map((one) => one.close())));

/** The same tokens and ends, and logprobs that differ by rounding at most. */
function expectSame(found: readonly Sample[], expected: readonly Sample[]): void {
  const written = (samples: readonly Sample[]) => samples.map((s) => [...s.tokens, s.stop]);
  expect(written(found)).toEqual(written(expected));
  for (const [i, { logprobs }] of found.entries())
    for (const [t, logp] of logprobs.entries())
      expect(Math.abs(logp - expected[i]!.logprobs[t]!)).toBeLessThan(1e-5);
}

function full(prompt: TokenIds, { tokens }: Sample) {
  return Int32Array.of(...prompt, ...tokens);
}

describe('a sequence is the same whatever it is batched with', () => {
  test('a sequence does not depend on the number of slots, its neighbors or refilling', async () => {
    const bySlots = new Map<number, LocalEngine>();
    for (const maxSequences of [1, 2, 3, 5, 12, 512])
      bySlots.set(maxSequences, await open({ maxSequences }));
    const whole = (await engine.sample(prompts, options)).flat();
    const some = fc.record({
      slots: fc.constantFrom(...bySlots.keys()),
      count: fc.integer({ min: 1, max: prompts.length }),
      groupSize: fc.integer({ min: 1, max: options.groupSize }),
    });
    await fc.assert(
      fc.asyncProperty(some, async ({ slots, count, groupSize }) => {
        const asked = { ...options, groupSize };
        const found = await bySlots.get(slots)!.sample(prompts.slice(0, count), asked);
        const expected = found.flatMap((group, b) =>
          group.map((_, g) => whole[b * options.groupSize + g]!),
        );
        expectSame(found.flat(), expected);
      }),
      { numRuns: 25 },
    );
  });

  test('a sequence with its own seed does not depend on its position in a call', async () => {
    const seed = prompts.map((_, b) => 100 + b);
    const whole = await engine.sample(prompts, { ...options, seed });
    const order = [7, 0, 3, 8];
    const some = await engine.sample(
      order.map((b) => prompts[b]!),
      { ...options, seed: order.map((b) => seed[b]!) },
    );
    expectSame(
      some.flat(),
      order.flatMap((b) => whole[b]!),
    );
  });

  test('a sequence does not depend on a small cache budget', async () => {
    // 32 capacity for a rollout, and as many for its prompt when it is read and when it is kept, all of it twice.
    const tokenBytes = tinyConfig.num_hidden_layers * 2 * 2 * 4 * 4;
    const one = 2 * 3 * 32 * tokenBytes;
    const small = await open({ cacheBytes: 4 * one });
    expectSame(
      (await small.sample(prompts, options)).flat(),
      (await engine.sample(prompts, options)).flat(),
    );
    expect((await (await open({ cacheBytes: one })).sample(prompts, options)).flat()).toHaveLength(
      18,
    );
    const none = await open({ cacheBytes: 0.99 * one });
    await expect(none.sample(prompts, options)).rejects.toThrow(
      /one rollout of 28 \+ 24 tokens needs [\d.]+ MB of cache, got [\d.]+ MB/,
    );
  });
});

test('prompts longer than a chunk give the same caches', async () => {
  const config = { ...tinyConfig, max_position_embeddings: 1300 };
  const long = await open({ config, weights: livelyWeights(config, 7) });
  // Just a chunk, one token more, two chunks and a rest, and a short one among them.
  const some = [512, 513, 1200, 1101, 20].map((length, i) => integers(40 + i, length, 2, 13));
  const samples = (await long.sample(some, { ...options, maxTokens: 40 })).flat();
  const sequences = samples.map((sample, i) => full(some[Math.floor(i / 2)]!, sample));
  const scored = await long.logprobs(sequences);
  for (const [i, { logprobs }] of samples.entries())
    for (const [t, logp] of logprobs.toReversed().entries())
      expect(Math.abs(scored[i]!.at(-1 - t)! - logp)).toBeLessThan(1e-4);
});

test('greedy choices are the most likely tokens of the full forward pass', async () => {
  const [prompt] = prompts;
  const greedy = { ...options, groupSize: 1, temperature: 0 };
  const sample = (await engine.sample([prompt!], greedy))[0]![0];
  for (const t of sample!.tokens.keys()) {
    const before = full(prompt!, { ...sample!, tokens: sample!.tokens.subarray(0, t) });
    const next = Array.from({ length: 13 }, (_, id) => Int32Array.of(...before, id));
    const scores = (await engine.logprobs(next)).map((logp) => logp.at(-1)!);
    expect(scores[sample!.tokens[t]!]).toBe(Math.max(...scores));
  }
});

describe('a completion ends', () => {
  // Token i is a letter; the model's end token 1 is no text.
  const decode = (tokens: TokenIds) =>
    Array.from(tokens, (id) => (id === 1 ? '' : String.fromCharCode(97 + id))).join('');

  test('a completion ends at a stop token, which is included', async () => {
    const stopTokens = [4, 7];
    const found = (await engine.sample(prompts, { ...options, stopTokens })).flat();
    expect(new Set(found.map(({ stop }) => stop))).toContain('stop');
    for (const [i, { tokens, stop }] of found.entries()) {
      const at = tokens.findIndex((id) => stopTokens.includes(id));
      expect(at).toBe(stop === 'stop' ? tokens.length - 1 : -1);
      expect(i).toBeLessThan(18);
    }
  });

  test('a completion ends with the token that completes a stop string, also over several tokens, and is unchanged before it', async () => {
    const plain = (await engine.sample(prompts, options)).flat();
    const texts = plain.map(({ tokens }) => decode(tokens));
    const stopStrings = [texts[0]!.slice(3, 6), texts[5]!.slice(1, 3), 'nowhere'];
    const found = (await engine.sample(prompts, { ...options, stopStrings, decode })).flat();
    expect(found.filter(({ stop }) => stop === 'stop').length).toBeGreaterThan(1);
    for (const [i, sample] of found.entries()) {
      const ends = stopStrings.map((stop) => texts[i]!.indexOf(stop) + stop.length);
      const places = ends.filter((end, n) => texts[i]!.includes(stopStrings[n]!) && end > 0);
      if (places.length === 0) {
        expectSame([sample], [plain[i]!]);
        continue;
      }
      const end = Math.min(...places);
      expect(sample.stop).toBe('stop');
      expect([...sample.tokens]).toEqual([...plain[i]!.tokens.subarray(0, end)]);
      expect(withoutStop(decode(sample.tokens), stopStrings)).not.toContain(stopStrings[0]);
    }
  });

  test('a stop string without a decoder, an empty one and an unknown stop token are refused', async () => {
    const wrong = (more: Partial<SamplingOptions>) =>
      engine.sample(prompts, { ...options, ...more });
    await expect(wrong({ stopStrings: ['a'] })).rejects.toThrow(/stopStrings: decode is missing/);
    await expect(wrong({ stopStrings: ['a', ''], decode })).rejects.toThrow(/stopStrings\[1\]/);
    await expect(wrong({ stopTokens: [1, 13] })).rejects.toThrow(/stopTokens\[1\]: .*got 13/);
    await expect(wrong({ seed: [1, 2] })).rejects.toThrow(
      /seed: expected 9 seeds, one per prompt, got 2/,
    );
    await expect(wrong({ seed: prompts.map((_, b) => b / 2) })).rejects.toThrow(
      /seed\[1\]: expected a whole number, got 0.5/,
    );
    await expect(wrong({ minP: 1.5 })).rejects.toThrow(
      /minP: expected a number from 0 to 1, got 1.5/,
    );
  });
});

describe('a caller who watches', () => {
  test('onToken receives every token of each sequence in order, with its logprob and stop reason', async () => {
    const told = new Map<string, DrawnToken[]>();
    const onToken = (drawn: DrawnToken) => {
      const key = `${drawn.b},${drawn.g}`;
      told.set(key, [...(told.get(key) ?? []), drawn]);
    };
    const samples = await engine.sample(prompts, { ...options, onToken });
    for (const [b, group] of samples.entries())
      for (const [g, { tokens, logprobs, stop }] of group.entries()) {
        const drawn = told.get(`${b},${g}`)!;
        expect(drawn.map((d) => d.token)).toEqual([...tokens]);
        expect(drawn.map((d) => d.logprob)).toEqual([...logprobs].map((x) => expect.closeTo(x, 6)));
        expect(drawn.map((d) => d.stop)).toEqual(
          [...tokens].map((_, t) => (t === tokens.length - 1 ? stop : undefined)),
        );
      }
  });

  test('a signal ends the call between two tokens', async () => {
    const controller = new AbortController();
    let drawn = 0;
    const onToken = () => {
      drawn += 1;
      if (drawn === 30) controller.abort(new Error('seen enough'));
    };
    const watched = { ...options, onToken, signal: controller.signal };
    await expect(engine.sample(prompts, watched)).rejects.toThrow('seen enough');
    expect(drawn).toBeLessThan(30 + prompts.length * options.groupSize);
    // The engine is fit for the next call.
    expectSame(
      (await engine.sample(prompts, options)).flat(),
      (await engine.sample(prompts, options)).flat(),
    );
  });
});

test('sampling limits apply to a model, and logprobs belong to the limited distribution', async () => {
  const limits = { topK: 5, topP: 0.9, minP: 0.02 };
  const samples = await engine.sample(prompts, { ...options, ...limits });
  const sequences = samples.flatMap((group, b) => group.map((sample) => full(prompts[b]!, sample)));
  const scored = await engine.logprobs(sequences);
  for (const [i, { logprobs }] of samples.flat().entries())
    for (const [t, logp] of logprobs.toReversed().entries()) {
      // Renormalized over less than everything, over at least nine tenths of the five likeliest.
      expect(logp).toBeGreaterThanOrEqual(scored[i]!.at(-1 - t)! - 1e-5);
      expect(logp).toBeLessThanOrEqual(0);
    }
});
