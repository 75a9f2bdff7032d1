/** The shipped policy: it is small, other libraries can load it, and both streams can improve it. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluateModel, openPolicy, trainConfig, WARM_START } from '@cipo/trainer';
import { expect, test } from 'vitest';

test('the warm start has at most 3 M parameters in at most 8 MB, under Hugging Face names', async () => {
  expect((await stat(join(WARM_START, 'model.safetensors'))).size).toBeLessThan(8e6);
  const policy = await openPolicy(WARM_START, trainConfig.parse({}));
  expect(policy.parameters).toBeLessThan(3e6);
  await policy.engine.close();
  const config = JSON.parse(await readFile(join(WARM_START, 'config.json'), 'utf8'));
  expect(config).toMatchObject({ architectures: ['LlamaForCausalLM'], model_type: 'llama' });
});

test('the warm start solves some tasks of both kinds, corrects some failures and retains most successes', async () => {
  const config = trainConfig.parse({ evaluation: { tasks: 120 } });
  const { passAt1, fixRate, retention, perKind, voided } = await evaluateModel(config);
  expect(voided).toBe(0);
  // Wide bounds: the test only ensures that both streams have incorrect and correct attempts to learn from.
  expect(passAt1.mean).toBeGreaterThan(0.25);
  expect(passAt1.mean).toBeLessThan(0.6);
  expect(fixRate.mean).toBeGreaterThan(0.15);
  expect(retention.mean).toBeGreaterThan(0.65);
  for (const kind of ['arithmetic', 'functions']) {
    expect(perKind[kind]!.passAt1.mean, kind).toBeGreaterThan(0.15);
    expect(perKind[kind]!.passAt1.mean, kind).toBeLessThan(0.85);
  }
});
