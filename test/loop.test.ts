/** The training loop end to end: real engine, real sandboxes, real math, and a policy that trains in seconds. */
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
/** All tests share the pools: a run must not close them. */
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
    stopWhileEvaluating?: 'before' | 'after';
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
      if (event.type === 'evaluating' && event.phase === options.stopWhileEvaluating) stop.abort();
    },
  });
  const rows = (await readFile(join(directory, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  return { metrics: rows.map((r) => JSON.parse(r)), events, directory };
}

/** The metrics of every step without the time that it took. */
const withoutTimes = (metrics: Result['metrics']) =>
  metrics.map(({ step_time: _, ...rest }) => rest);
const json = async (...path: string[]) => JSON.parse(await readFile(join(...path), 'utf8'));

test('a run writes its configuration, metrics, samples, checkpoints and summary', async () => {
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
  expect(withoutTimes(a.metrics)).toEqual(withoutTimes(b.metrics));
});

test('a resumed run has the same metrics and results as an uninterrupted one', async () => {
  const whole = await run('uninterrupted');
  const cut = await run('cut', { stopAfter: 3 });
  expect(cut.metrics).toHaveLength(3);
  expect((await json(cut.directory, 'summary.json')).interrupted).toBe(true);
  const resumed = await run('cut', { resume: true });
  expect(withoutTimes(resumed.metrics)).toEqual(withoutTimes(whole.metrics));
  expect((await json(resumed.directory, 'summary.json')).after).toEqual(
    (await json(whole.directory, 'summary.json')).after,
  );
});

test('a run stopped during the last evaluation can be resumed to the same results', async () => {
  const whole = await run('evaluated');
  const cut = await run('unevaluated', { stopWhileEvaluating: 'after' });
  expect(await json(cut.directory, 'summary.json')).toMatchObject({
    steps: 4,
    interrupted: true,
    after: null,
  });
  const resumed = await run('unevaluated', { resume: true });
  expect(withoutTimes(resumed.metrics)).toEqual(withoutTimes(whole.metrics));
  expect((await json(resumed.directory, 'summary.json')).after).toEqual(
    (await json(whole.directory, 'summary.json')).after,
  );
});

test('a stop before the first step throws Interrupted', async () => {
  await expect(run('unstarted', { stopWhileEvaluating: 'before' })).rejects.toMatchObject({
    name: 'Interrupted',
  });
});

describe('presets', () => {
  for (const preset of ['grpo', 'dapo', 'dr-grpo', 'cipo-attributed'] as const) {
    test(`the preset ${preset} runs on the same loop`, async () => {
      const { metrics } = await run(preset, { preset });
      expect(metrics).toHaveLength(4);
      const corrects = preset === 'cipo-attributed';
      expect(metrics.every((m) => 'correction/rho' in m === corrects)).toBe(true);
      if (preset === 'cipo-attributed') expect(metrics.some((m) => m.kl! >= 0)).toBe(true);
    });
  }
});
