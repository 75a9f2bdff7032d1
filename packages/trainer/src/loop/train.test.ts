/** What `train` releases when it fails, and what it records when no attempt could be judged. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DomainSet, domainsOf } from '@cipo/verifier/domains';
import { type Domain, voided } from '@cipo/verifier/types';
import { afterAll, describe, expect, test } from 'vitest';
import { type TrainConfigInput, trainConfig } from '../config.ts';
import { train } from './train.ts';

const scratch = mkdtempSync(join(tmpdir(), 'cipo-train-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A domain whose sandbox never answers: every verdict is void. */
function voidDomain(name: string): Domain {
  return {
    name,
    parse: (row) => ({
      id: String(Object(row).id),
      domain: name,
      prompt: Object(row).prompt,
      reference: undefined,
    }),
    verify: async () => voided('infra', 'the sandbox was lost'),
  };
}

/** The two domains of the embedded tasks, and how often they were closed. */
function countedDomains(): { readonly domains: DomainSet; readonly closed: () => number } {
  const set = domainsOf([voidDomain('math'), voidDomain('code')]);
  let closed = 0;
  const close = async () => {
    closed++;
    await set.close();
  };
  return { domains: { ...set, close }, closed: () => closed };
}

describe('domains are closed exactly once', () => {
  test.each<{
    readonly cause: string;
    readonly message: RegExp;
    readonly config: TrainConfigInput;
    readonly resume?: true;
  }>([
    { cause: 'the model does not exist', message: /\/nope/, config: { model: '/nope' } },
    {
      cause: 'the file of tasks does not exist',
      message: /\/nope\.jsonl/,
      config: { tasks: { train: '/nope.jsonl' } },
    },
    {
      cause: 'no kind of task has a weight',
      message: /^tasks\.mix/,
      config: { tasks: { mix: { arithmetic: 0, functions: 0 } } },
    },
    {
      cause: 'there is no checkpoint to resume from',
      message: /checkpoint/,
      config: {},
      resume: true,
    },
  ])('train() closes its domains once if $cause', async ({ message, config, resume = false }) => {
    const { domains, closed } = countedDomains();
    const directory = join(scratch, 'failed');
    await expect(train(trainConfig.parse(config), { directory, resume, domains })).rejects.toThrow(
      message,
    );
    expect(closed()).toBe(1);
  });
});

test('a run without any judged attempt records no reward and marks no checkpoint as the best', async () => {
  const directory = join(scratch, 'void');
  const config = trainConfig.parse({
    steps: 2,
    checkpointEvery: 1,
    rollout: { prompts: 2, groupSize: 2, maxTokens: 4 },
    evaluation: { tasks: 2, samples: 1 },
    engine: { threads: 1 },
  });
  const { domains, closed } = countedDomains();
  await train(config, { directory, domains });
  expect(closed()).toBe(1);
  const lines = readFileSync(join(directory, 'metrics.jsonl'), 'utf8').trim().split('\n');
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    const metrics = JSON.parse(line);
    expect(metrics).toMatchObject({ void_rate: 1 });
    expect(Object.keys(metrics).filter((name) => name.includes('reward'))).toEqual([]);
    expect(Object.values(metrics)).not.toContain(null);
  }
  const state = JSON.parse(
    readFileSync(join(directory, 'checkpoints', 'step-2', 'state.json'), 'utf8'),
  );
  expect(state).toMatchObject({ recentRewards: [], best: null });
}, 60_000);
