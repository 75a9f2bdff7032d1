/** A run that trains adapters from the shipped policy, end to end: its files, its resume, its evaluation. */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  evaluateModel,
  openDomains,
  type TrainEvent,
  train,
  trainConfig,
  WARM_START,
} from '@cipo/trainer';
import { afterAll, beforeAll, expect, test } from 'vitest';

let root: string;
const domains = await openDomains({ workers: 1, domains: [] });
/** The domains without their close: a run must not end what all tests share. */
const lent = { ...domains, close: async () => {} };
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipo-adapters-'));
});
afterAll(async () => {
  await domains.close();
  await rm(root, { recursive: true });
});

const config = (change: object = {}) =>
  trainConfig.parse({
    steps: 2,
    checkpointEvery: 1,
    lora: { enabled: true, rank: 4, alpha: 8, targetModules: ['q_proj', 'v_proj', 'down_proj'] },
    objective: { beta: 0.05 },
    tasks: { mix: { functions: 0 }, arithmeticLevel: 1 },
    rollout: { prompts: 4, groupSize: 4, maxTokens: 32 },
    evaluation: { tasks: 4, samples: 2 },
    ...change,
  });

async function run(name: string, settings: ReturnType<typeof config>, resume = false) {
  const directory = join(root, name);
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent) => {
    events.push(event);
  };
  const summary = await train(settings, { directory, domains: lent, resume, onEvent });
  const rows = (await readFile(join(directory, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  const metrics = rows.map((row) => JSON.parse(row)).map(({ step_time: _, ...rest }) => rest);
  return { directory, events, summary, metrics };
}

test('an adapter run saves adapters, resumes to the same numbers, and its best checkpoint can be evaluated', async () => {
  const { directory, events, summary, metrics } = await run('whole', config());
  expect(events.map(({ type }) => type).slice(0, 2)).toEqual(['memory', 'start']);
  expect(summary).toMatchObject({ lora: { rank: 4, alpha: 8 } });
  expect(summary.trained).toBeLessThan(summary.parameters / 10);

  const step = join(directory, 'checkpoints', 'step-1');
  expect(existsSync(join(step, 'adapter_config.json'))).toBe(true);
  expect(existsSync(join(step, 'model.safetensors'))).toBe(false);
  expect(JSON.parse(await readFile(join(step, 'adapter_config.json'), 'utf8'))).toMatchObject({
    base_model_name_or_path: WARM_START,
    target_modules: ['q_proj', 'v_proj', 'down_proj'],
  });

  const other = join(root, 'again');
  await cp(directory, other, { recursive: true });
  await rm(join(other, 'checkpoints', 'step-2'), { recursive: true });
  const again = await run('again', config(), true);
  expect(again.metrics).toEqual(metrics);
  expect(again.summary.after).toEqual(summary.after);

  const best = config({ model: join(directory, 'checkpoints', 'best'), lora: {} });
  const evaluation = await evaluateModel(best, { domains: lent });
  expect(evaluation.passAt1.n).toBe(4);
});

test('a run that does not fit into memory is rejected before loading, with settings that would fit', async () => {
  const small = config({ engine: { memoryMb: 50 } });
  await expect(train(small, { directory: join(root, 'small'), domains: lent })).rejects.toThrow(
    /needs about .* and may use 50 MiB[\s\S]*--set engine.recompute=true/,
  );
});

test('the error for target modules that the model lacks names those that it has', async () => {
  const wrong = config({ lora: { enabled: true, targetModules: ['c_attn'] } });
  await expect(train(wrong, { directory: join(root, 'wrong'), domains: lent })).rejects.toThrow(
    /"c_attn" matches no linear layer of this model; it has q_proj/,
  );
});
