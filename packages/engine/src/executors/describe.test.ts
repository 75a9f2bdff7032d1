import { expect, test } from 'vitest';
import { createLocalEngine, describeExecutors } from '../index.ts';
import { scalar } from '../ops.ts';
import { onEachBackend } from '../testing/backends.ts';
import { tinyConfig } from '../testing/data.ts';
import { backendAdvice } from './advice.ts';
import { openExecutor } from './open.ts';
import { probe, TOLERANCE } from './probe.ts';
import type { Executor, Program } from './types.ts';

test('a backend listed as available opens with the same description, and the others list a reason', async () => {
  const findings = await describeExecutors();
  expect(findings.filter(({ isDefault }) => isDefault)).toMatchObject([{ executor: 'onnx' }]);
  expect(findings.map(({ executor, backend }) => `${executor} ${backend}`)).toEqual([
    'onnx cpu',
    'onnx webgpu',
    'tfjs tensorflow',
    'tfjs webgpu',
    'tfjs wasm',
    'tfjs cpu',
  ]);
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
      expect(engine.executor).toContain(detail.split(', ')[0]);
      await engine.close();
    } else await expect(opening).rejects.toThrow(detail.split(';')[0]);
  }
});

test('an unknown backend is refused with the list of known ones', async () => {
  const options = { config: tinyConfig, seed: 1, executor: 'tfjs', backend: 'cuda' } as const;
  await expect(createLocalEngine(options)).rejects.toThrow(/"cuda".*tensorflow, webgpu, wasm, cpu/);
});

test('engines on one backend can be opened concurrently and leave no error handlers behind', async () => {
  const handlers = () => process.listenerCount('uncaughtException');
  const before = handlers();
  const options = { config: tinyConfig, seed: 1, executor: 'tfjs', backend: 'wasm' } as const;
  const engines = await Promise.all([createLocalEngine(options), createLocalEngine(options)]);
  expect(handlers()).toBe(before);
  for (const engine of engines) await engine.close();
});

onEachBackend('the probe', (place) => {
  test('the probe measures float32, and half precision only if it is computed in half precision', async () => {
    const executor = await openExecutor({ ...place, threads: 1 });
    const { relativeError, product, half } = await probe(executor);
    await executor.close();
    expect(relativeError).toBeLessThan(1e-6);
    expect(product.gigaflops).toBeGreaterThan(0);
    for (const found of Object.values(half)) expect(found.relativeError).toBeGreaterThan(1e-5);
    // onnxruntime's CPU provider takes the casts away and multiplies in float32.
    if (place.backend !== 'webgpu') expect(half).toEqual({});
  });
});

test('the probe detects a backend that computes wrong numbers', async () => {
  const executor = await openExecutor({ threads: 1 });
  const wrong: Executor = Object.assign(Object.create(executor), {
    compile: (program: Program) =>
      executor.compile({
        ...program,
        build: (ops, x) => {
          const { y, ...rest } = program.build(ops, x);
          return { y: ops.mul(y!, scalar(ops, 1.001)), ...rest };
        },
      }),
    compileHalfProduct: undefined,
  });
  expect((await probe(wrong)).relativeError).toBeGreaterThan(TOLERANCE);
});

test('a missing backend is refused with what it needs', async () => {
  const findings = await describeExecutors();
  for (const { executor, backend, available, detail } of findings) {
    if (available) continue;
    expect(detail).toContain(backendAdvice(executor, backend));
  }
});
