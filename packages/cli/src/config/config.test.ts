import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainConfig } from '@cipo/trainer/config';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../errors.ts';
import { merge, nest } from './layers.ts';
import { resolveConfig } from './resolve.ts';
import { describeAllowed, trainSchema } from './schema.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cipo-config-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, 'run.yaml');
  await writeFile(path, text);
  return path;
}

/** The message of a configuration that must be rejected with exit code 2. */
async function refusal(text: string | undefined, set: readonly string[] = []): Promise<string> {
  const source = text === undefined ? {} : { file: await file(text) };
  const error = await resolveConfig({ ...source, flags: { set } }).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({ exitCode: 2 });
  return error instanceof UserError ? error.message : '';
}

describe('order of the layers', () => {
  test('without file and flags the configuration is the schema with the default preset', async () => {
    expect(await resolveConfig({ flags: {} })).toEqual(trainConfig.parse({ preset: 'cipo' }));
  });

  test('a file overrides its preset, and a flag overrides the file', async () => {
    const path = await file('preset: dapo\nsteps: 7\nobjective:\n  clipHigh: 0.3\n');
    const config = await resolveConfig({ file: path, flags: { steps: '9' } });
    expect(config).toMatchObject({
      preset: 'dapo',
      steps: 9,
      objective: { clipHigh: 0.3, aggregation: 'token-mean' },
      corrections: { enabled: false },
    });
  });

  test('--preset replaces all settings of the preset that the file names', async () => {
    const path = await file('preset: dapo\n');
    const config = await resolveConfig({ file: path, flags: { preset: 'grpo' } });
    expect(config.objective.aggregation).toBe('seq-mean-token-mean');
  });

  test('--set reads numbers, booleans and lists as YAML and keeps strings as they are', async () => {
    const set = [
      'optimizer.learningRate=3e-4',
      'corrections.enabled=false',
      'corrections.replay.gains=[1, 2, 3]',
      'tasks.train=007',
    ];
    const config = await resolveConfig({ flags: { set } });
    expect(config).toMatchObject({
      optimizer: { learningRate: 3e-4 },
      corrections: { enabled: false, replay: { gains: [1, 2, 3] } },
      tasks: { train: '007' },
    });
  });

  test('--engine sets the executor and the backend', async () => {
    const config = await resolveConfig({ flags: { engine: 'tfjs:wasm' } });
    expect(config.engine).toMatchObject({ executor: 'tfjs', backend: 'wasm' });
  });

  test('setting one weight of a mix does not change the others', async () => {
    const config = await resolveConfig({ flags: { set: ['tasks.mix.functions=0'] } });
    expect(config.tasks.mix).toEqual({ arithmetic: 1, functions: 0 });
  });

  test('a group whose lines are all commented out changes nothing', async () => {
    const config = await resolveConfig({
      file: await file('rollout:\n#  prompts: 1\n'),
      flags: {},
    });
    expect(config.rollout.prompts).toBe(32);
  });
});

describe('error messages', () => {
  test('the error for an unknown key names its line and a similar key', async () => {
    const message = await refusal('steps: 3\nrollout:\n  promts: 4\n');
    expect(message).toContain('run.yaml:3:3: there is no key rollout.promts.');
    expect(message).toContain('Did you mean rollout.prompts?');
    expect(message).toContain('groupSize');
  });

  test('the error for a key in the wrong group names the right group', async () => {
    expect(await refusal('learningRate: 1\n')).toContain('Did you mean optimizer.learningRate?');
  });

  test('the error for an invalid value names its line, what is expected and what was received', async () => {
    const message = await refusal('optimizer:\n  learningRate: fast\n');
    expect(message).toContain(
      'run.yaml:2:3: optimizer.learningRate: expected a number above 0, got "fast"',
    );
    expect(message).toContain('(default 0.0001)');
  });

  test('a misspelled choice is recognized', async () => {
    const message = await refusal('corrections:\n  riskMode: postnorm\n');
    expect(message).toContain('one of postNorm, meanOnly, perPrompt, reward');
    expect(message).toContain('Did you mean postNorm?');
  });

  test('a value that is not similar to any choice gets no suggestion', async () => {
    const message = await refusal('preset: ppo\n');
    expect(message).toContain('got "ppo"');
    expect(message).not.toContain('Did you mean');
    expect(await refusal('preset: gpro\n')).toContain('Did you mean grpo?');
  });

  test('an unknown engine is answered with the choices and the page about GPUs', async () => {
    const error = await resolveConfig({ flags: { engine: 'cuda' } }).catch((e: unknown) => e);
    expect(error).toMatchObject({ exitCode: 2 });
    expect(String(error)).toMatch(/expected one of onnx, .* got "cuda".*docs\/guide\/backends\.md/);
  });

  test('every problem is reported at once', async () => {
    const message = await refusal('steps: 0\nseed: -1\nfoo: 1\n');
    for (const part of ['run.yaml:1:1', 'run.yaml:2:1', 'run.yaml:3:1'])
      expect(message).toContain(part);
  });

  test('the error for an invalid flag names the flag', async () => {
    const message = await refusal(undefined, ['rollout.groupSize=1']);
    expect(message).toContain(
      '--set rollout.groupSize: expected a whole number of at least 2, got 1',
    );
    expect(await refusal(undefined, ['oops'])).toContain('--set: expected key.path=value');
  });

  test('the error for an item of a list names its line and index', async () => {
    const message = await refusal('corrections:\n  replay:\n    gains: [1, x, 3]\n');
    expect(message).toContain(
      'run.yaml:3:16: corrections.replay.gains[1]: expected a number, got "x"',
    );
  });

  test('invalid YAML is reported with its line, a list or a bare value with its type', async () => {
    expect(await refusal('a: [1\nb: 2\n')).toMatch(/not valid YAML.*line \d/s);
    expect(await refusal('- a\n')).toContain('got a list');
    expect(await refusal('hello\n')).toContain('got the single value "hello"');
  });

  test('a YAML bomb of aliases is rejected without expanding it', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i += 1) {
      const above = Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ');
      lines.push(`a${i}: &a${i} [${above}]`);
    }
    expect(await refusal(`${lines.join('\n')}\n`)).toContain('cannot be used as YAML');
  });

  test('__proto__ in a file is an unknown key and changes no prototype', async () => {
    expect(await refusal('__proto__:\n  polluted: 1\n')).toContain('no key __proto__');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('the schema as data', () => {
  test('every key of the schema has a description', () => {
    const undescribed = trainSchema.leaves.filter(([, node]) => !node.description);
    expect(undescribed.map(([path]) => path)).toEqual([]);
    expect(Object.values(trainSchema.root.properties ?? {}).every((node) => node.description)).toBe(
      true,
    );
  });

  test('allowed values are described in words', () => {
    const words = (path: string) => describeAllowed(trainSchema.at(path.split('.')) ?? {});
    expect(words('rollout.topP')).toBe('a number above 0 and of at most 1');
    expect(words('corrections.diagnosticsRate')).toBe('a number from 0 to 1');
    expect(words('corrections.replay.gains')).toBe('a list of 3 numbers');
    expect(words('corrections.enabled')).toBe('true or false');
  });

  test('the schema accepts every default as a value of --set', async () => {
    const set = trainSchema.leaves
      .filter(([, node]) => node.default !== undefined)
      .map(([path, node]) => `${path}=${JSON.stringify(node.default)}`.replaceAll('"', ''));
    expect(await resolveConfig({ flags: { set } })).toEqual(trainConfig.parse({}));
  });
});

describe('merge', () => {
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer()));
  const settings = fc.object({ values: [leaf], maxDepth: 3 }).map((value) => ({ ...value }));

  test('merging a layer with itself or with an empty layer does not change it', () => {
    fc.assert(
      fc.property(settings, (layer) => {
        expect(merge([layer, layer])).toEqual(layer);
        expect(merge([{}, layer])).toEqual(layer);
      }),
    );
  });

  test('a merge keeps every value of the top layer', () => {
    fc.assert(
      fc.property(settings, fc.integer(), (below, value) => {
        expect(merge([below, nest(['x', 'y'], value)])).toMatchObject({ x: { y: value } });
      }),
    );
  });
});
