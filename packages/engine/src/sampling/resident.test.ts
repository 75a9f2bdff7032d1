import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openExecutor } from '../executors/open.ts';
import type { BufferMap, Executor } from '../executors/types.ts';
import { ENGINE_DEFAULTS } from '../limits.ts';
import { LocalEngine } from '../local.ts';
import { sizeOf } from '../ops.ts';
import { quick } from '../testing/backends.ts';
import { integers, livelyWeights, tinyConfig } from '../testing/data.ts';
import type { SamplingOptions } from '../types.ts';

const weights = livelyWeights(tinyConfig, 7);
const prompts = [3, 7, 7, 18, 1, 30].map((length, i) => integers(i, length, 2, 13));
const options: SamplingOptions = { groupSize: 3, maxTokens: 24, temperature: 1, seed: 5 };
/** Few slots: prompts are read as others end, and batches join, grow and shrink. */
const parts = {
  config: tinyConfig,
  weights,
  limits: { ...ENGINE_DEFAULTS, microBatchRows: 200, maxSequences: 6, cacheBytes: 2 ** 30 },
};

/** The same executor, taken for one whose caches stay, or not; `moved` counts the floats that a run is given. */
function taken(executor: Executor, isApart: boolean) {
  const moved: number[] = [];
  const resident = new WeakSet<object>();
  const same: Executor = {
    name: executor.name,
    description: executor.description,
    isApart,
    buffer: (spec, data) => executor.buffer(spec, data),
    allocate: (specs) => {
      const made = executor.allocate(specs);
      for (const buffer of made.parts) resident.add(buffer);
      return made;
    },
    close: async () => {},
    compile: async (program) => {
      const compiled = await executor.compile(program);
      const given = (inputs: BufferMap) =>
        Object.keys(program.inputs).filter((name) => !resident.has(inputs[name]!));
      return {
        dispose: () => compiled.dispose(),
        run: async (inputs, outputs) => {
          if (program.name.startsWith('write'))
            moved.push(given(inputs).reduce((n, name) => n + sizeOf(inputs[name]!.spec.shape), 0));
          await compiled.run(inputs, outputs);
        },
      };
    },
  };
  return { executor: same, moved };
}

// Programs of the CPU's onnx write over inputs that the same run still reads: it keeps no caches apart.
const places = quick.filter(({ executor, backend }) => executor !== 'onnx' || backend !== 'cpu');

describe.each(places)('$executor $backend: caches that stay on the device', (place) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await openExecutor(place);
  });
  afterAll(() => executor.close());

  test.each([
    { drawn: 'from the block that the device finds', limits: {} },
    { drawn: 'under limits, from all of a distribution', limits: { topK: 5, topP: 0.9 } },
    { drawn: 'greedily', limits: { temperature: 0 } },
  ])(
    'caches on the device give the same sequences as caches passed to every step: $drawn',
    async (way) => {
      const some = { ...options, ...way.limits };
      const [there, here] = [taken(executor, true), taken(executor, false)];
      const engines = [there, here].map(
        (it) => new LocalEngine({ ...parts, executor: it.executor }),
      );
      const [a, b] = [
        await engines[0]!.sample(prompts, some),
        await engines[1]!.sample(prompts, some),
      ];
      for (const [i, sample] of a.flat().entries()) {
        const other = b.flat()[i]!;
        expect([...sample.tokens]).toEqual([...other.tokens]);
        for (const [t, logprob] of sample.logprobs.entries())
          expect(Math.abs(logprob - other.logprobs[t]!)).toBeLessThan(1e-5);
      }
      // Tokens, positions, masks, places and the rotary tables: nothing that grows with the model.
      expect(Math.max(...there.moved)).toBeLessThan(Math.min(...here.moved));
    },
  );
});
