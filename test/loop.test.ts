/** The loop end to end: real engine, real sandbox, real math, a policy small enough to train in seconds. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  openDomains,
  type PresetName,
  presets,
  pretrain,
  pretrainConfig,
  type TrainEvent,
  train,
  trainConfig,
} from '@cipo/trainer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let root: string;
let model: string;
const domains = await openDomains({ workers: 2, domains: [] });
/** The tests share one pair of pools: a run must not close what it was lent. */
const lent = { ...domains, close: async () => {} };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cipo-loop-'));
  model = join(root, 'policy');
  const config = pretrainConfig.parse({
    steps: 60,
    scheduleSteps: 60,
    batch: 32,
    ownFrom: 50,
    ownEvery: 50,
    evaluationTasks: 4,
    tasks: { arithmeticLevel: 1, functionsLevel: 1 },
    model: { hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 64 },
  });
  await pretrain(config, { directory: model, domains: lent });
}, 120_000);

afterAll(async () => {
  await domains.close();
  await rm(root, { recursive: true });
});

const config = (preset: PresetName = 'cipo', steps = 4) =>
  trainConfig.parse({
    ...presets[preset],
    preset,
    model,
    steps,
    checkpointEvery: 2,
    tasks: { arithmeticLevel: 1, functionsLevel: 1 },
    rollout: { prompts: 6, groupSize: 4, maxTokens: 24 },
    evaluation: { tasks: 6, samples: 2 },
  });

interface Result {
  readonly metrics: readonly Record<string, number>[];
  readonly events: readonly TrainEvent[];
  readonly directory: string;
}

async function run(
  name: string,
  options: {
    preset?: PresetName;
    stopAfter?: number;
    stopWhileMeasuring?: 'before' | 'after';
    resume?: boolean;
  } = {},
): Promise<Result> {
  const directory = join(root, name);
  const stop = new AbortController();
  const events: TrainEvent[] = [];
  await train(config(options.preset), {
    directory,
    domains: lent,
    resume: options.resume ?? false,
    signal: stop.signal,
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'step' && event.step === options.stopAfter) stop.abort();
      if (event.type === 'evaluating' && event.phase === options.stopWhileMeasuring) stop.abort();
    },
  });
  const rows = (await readFile(join(directory, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  return { metrics: rows.map((r) => JSON.parse(r)), events, directory };
}

/** All that a step measures but the clock. */
const timeless = (metrics: Result['metrics']) => metrics.map(({ step_time: _, ...rest }) => rest);
const json = async (...path: string[]) => JSON.parse(await readFile(join(...path), 'utf8'));

test('a run writes what it promises', async () => {
  const { metrics, events, directory } = await run('whole');
  expect(metrics.map((m) => m.step)).toEqual([1, 2, 3, 4]);
  for (const name of ['reward', 'entropy', 'grad_norm', 'correction/rho', 'num_tokens']) {
    expect(
      metrics.every((m) => Number.isFinite(m[name])),
      name,
    ).toBe(true);
  }
  const summary = await json(directory, 'summary.json');
  expect(summary).toMatchObject({ preset: 'cipo', seed: 1, steps: 4, interrupted: false });
  expect(summary.generatedTokens).toBe(metrics.at(-1)!.num_tokens);
  expect(Object.keys(summary.after)).toEqual(['passAt1', 'passAtK', 'fixRate', 'retention']);
  expect(await json(directory, 'config.json')).toEqual(config());
  const samples = (await readFile(join(directory, 'samples.jsonl'), 'utf8')).trim().split('\n');
  expect(samples.length).toBeGreaterThan(0);
  expect(events.map((e) => e.type)).toEqual(
    expect.arrayContaining(['start', 'evaluated', 'step', 'checkpoint', 'end']),
  );
  expect((await json(directory, 'checkpoints', 'best', 'state.json')).step).toBeGreaterThan(0);
});

test('one seed gives the same metrics twice', async () => {
  const [a, b] = [await run('same-a'), await run('same-b')];
  expect(timeless(a.metrics)).toEqual(timeless(b.metrics));
});

test('an interrupted run goes on as if nothing had happened', async () => {
  const whole = await run('uninterrupted');
  const cut = await run('cut', { stopAfter: 3 });
  expect(cut.metrics).toHaveLength(3);
  expect((await json(cut.directory, 'summary.json')).interrupted).toBe(true);
  const resumed = await run('cut', { resume: true });
  expect(timeless(resumed.metrics)).toEqual(timeless(whole.metrics));
  expect((await json(resumed.directory, 'summary.json')).after).toEqual(
    (await json(whole.directory, 'summary.json')).after,
  );
});

test('a stop during the closing evaluation leaves the training done and the rest to resume', async () => {
  const whole = await run('measured');
  const cut = await run('unmeasured', { stopWhileMeasuring: 'after' });
  expect(await json(cut.directory, 'summary.json')).toMatchObject({
    steps: 4,
    interrupted: true,
    after: null,
  });
  const resumed = await run('unmeasured', { resume: true });
  expect(timeless(resumed.metrics)).toEqual(timeless(whole.metrics));
  expect((await json(resumed.directory, 'summary.json')).after).toEqual(
    (await json(whole.directory, 'summary.json')).after,
  );
});

test('a stop before the first step says that there is nothing to resume', async () => {
  await expect(run('unstarted', { stopWhileMeasuring: 'before' })).rejects.toMatchObject({
    name: 'Interrupted',
  });
});

describe('presets', () => {
  for (const preset of ['grpo', 'dapo', 'dr-grpo', 'cipo-attributed'] as const) {
    test(`${preset} runs on the same loop`, async () => {
      const { metrics } = await run(preset, { preset });
      expect(metrics).toHaveLength(4);
      const corrects = preset === 'cipo-attributed';
      expect(metrics.every((m) => 'correction/rho' in m === corrects)).toBe(true);
      if (preset === 'cipo-attributed') expect(metrics.some((m) => m.kl! >= 0)).toBe(true);
    });
  }
});
