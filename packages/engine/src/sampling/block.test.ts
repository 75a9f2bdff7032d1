import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openExecutor } from '../executors/open.ts';
import type { Executor, Program } from '../executors/types.ts';
import { f32 } from '../ops.ts';
import { quick } from '../testing/backends.ts';
import { runProgram } from '../testing/data.ts';
import { BLOCK_LENGTH, blockWidth, drawnBlocks, pickFromBlock } from './block.ts';
import { pickToken } from './pick.ts';
import { normals, uniform } from './random.ts';

/** Probabilities of a peaked distribution, long runs of zeros in it, at its end too. */
function distribution(seed: number, vocabulary: number): Float32Array {
  const powers = normals(seed, vocabulary).map((x, i) =>
    i > 0 && uniform(seed, Math.floor(i / 300)) < 0.3 ? 0 : Math.exp(3 * x),
  );
  const total = powers.reduce((sum, x) => sum + x, 0);
  return powers.map((x) => x / total);
}

function program(slots: number, vocabulary: number): Program {
  return {
    name: 'blocks',
    inputs: { p: f32(slots, vocabulary), u: f32(slots) },
    build: (ops, { p, u }) => ({ rows: drawnBlocks(ops, p!, u!) }),
  };
}

describe.each(quick)('$executor $backend: sampling in blocks', (place) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await openExecutor({ ...place, threads: 1 });
  });
  afterAll(() => executor.close());

  async function rowsOf(p: Float32Array[], u: readonly number[]): Promise<Float32Array[]> {
    const vocabulary = p[0]!.length;
    const flat = new Float32Array(p.length * vocabulary);
    for (const [slot, one] of p.entries()) flat.set(one, slot * vocabulary);
    const inputs = { p: flat, u: Float32Array.from(u) };
    const made = { rows: f32(p.length, blockWidth) };
    const { rows } = await runProgram(executor, program(p.length, vocabulary), inputs, made);
    return p.map((_, i) => rows!.subarray(i * blockWidth, (i + 1) * blockWidth) as Float32Array);
  }

  test.each([1, 3, BLOCK_LENGTH, BLOCK_LENGTH + 1, 3 * BLOCK_LENGTH, 50_000])(
    'a token sampled from its block equals the one sampled from the whole distribution of %i tokens',
    async (vocabulary) => {
      const us = [0, 0.9999999, ...Array.from({ length: 62 }, (_, i) => uniform(3, i))];
      const all = us.map((_, i) => distribution(i, vocabulary));
      const rows = await rowsOf(all, us);
      let differing = 0;
      for (const [i, u] of us.entries()) {
        const [p, found] = [all[i]!, pickFromBlock(rows[i]!, u)];
        const whole = pickToken(p, u, {});
        expect(p[found.token]).toBeGreaterThan(0);
        expect(found.logprob).toBeCloseTo(Math.log(p[found.token]!), 5);
        if (found.token === whole.token) continue;
        // Only where the number lies on the boundary, as exactly as float32 sums know it.
        const [low, high] = [found.token, whole.token].sort((a, b) => a - b) as [number, number];
        const between = p.subarray(low + 1, high).reduce((sum, x) => sum + x, 0);
        const upTo = p.subarray(0, low + 1).reduce((sum, x) => sum + x, 0);
        expect(between).toBeLessThan(1e-6);
        expect(Math.abs(upTo - u)).toBeLessThan(1e-6);
        differing += 1;
      }
      expect(differing).toBeLessThanOrEqual(2);
    },
  );

  test('probabilities that are not finite are refused', async () => {
    for (const vocabulary of [5, 2 * BLOCK_LENGTH]) {
      const broken = new Float32Array(vocabulary).fill(1 / vocabulary).fill(Number.NaN, 1, 2);
      const [row] = await rowsOf([broken], [0.9]);
      expect(() => pickFromBlock(row!, 0.9)).toThrow(/not finite/);
    }
  });
});
