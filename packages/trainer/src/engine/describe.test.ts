import { expect, it } from 'vitest';
import { createLocalEngine, describeExecutors } from './index.ts';
import { tinyConfig } from './testing/data.ts';

it('what is said to be available opens and says the same of itself; the rest says why not', async () => {
  const findings = await describeExecutors();
  expect(findings.filter(({ isDefault }) => isDefault)).toMatchObject([{ executor: 'onnx' }]);
  expect(findings.map(({ backend }) => backend)).toEqual(['cpu', 'tensorflow', 'wasm', 'cpu']);
  for (const { executor, backend, available, detail } of findings) {
    const opening = createLocalEngine({
      config: tinyConfig,
      seed: 1,
      threads: 1,
      executor,
      backend,
    });
    if (available) {
      const engine = await opening;
      expect(engine.executor).toContain(detail);
      await engine.close();
    } else await expect(opening).rejects.toThrow(detail.split(';')[0]);
  }
});

it('a backend that does not exist is refused with those that do', async () => {
  const options = { config: tinyConfig, seed: 1, executor: 'tfjs', backend: 'cuda' } as const;
  await expect(createLocalEngine(options)).rejects.toThrow(/"cuda".*tensorflow, wasm, cpu/);
});

it('engines on one backend can be opened at the same time, and leave no handlers of errors behind', async () => {
  const handlers = () => process.listenerCount('uncaughtException');
  const before = handlers();
  const options = { config: tinyConfig, seed: 1, executor: 'tfjs', backend: 'wasm' } as const;
  const engines = await Promise.all([createLocalEngine(options), createLocalEngine(options)]);
  expect(handlers()).toBe(before);
  for (const engine of engines) await engine.close();
});
