import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLocalEngine, type EngineOptions, type LocalEngine } from '../index.ts';
import { someData, tinyConfig } from '../testing/data.ts';

const root = mkdtempSync(join(tmpdir(), 'cipo-checkpoint-'));
const [model, adapter] = [join(root, 'model'), join(root, 'adapter')];
const lora = { rank: 2, alpha: 4, targetModules: ['q_proj'] };
const opened: LocalEngine[] = [];
afterAll(async () => {
  await Promise.all(opened.map((engine) => engine.close()));
  rmSync(root, { recursive: true });
});

async function open(options: Partial<EngineOptions> = {}): Promise<LocalEngine> {
  const engine = await createLocalEngine({ config: tinyConfig, seed: 1, threads: 1, ...options });
  opened.push(engine);
  return engine;
}

beforeAll(async () => {
  for (const [folder, options] of [
    [model, {}],
    [adapter, { lora }],
  ] as const) {
    const engine = await open(options);
    await engine.forwardBackward(someData(tinyConfig, 3), { kind: 'cross_entropy' });
    await engine.optimStep({ learningRate: 0.01 });
    await engine.save(folder);
  }
});

type Header = Record<string, Record<string, unknown>>;

/** While the header of a file is another one. */
async function withChangedHeader(
  path: string,
  change: (header: Header) => void,
  then: () => Promise<void>,
) {
  const whole = readFileSync(path);
  const end = 8 + Number(whole.readBigUInt64LE());
  const header = JSON.parse(whole.toString('utf8', 8, end));
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, whole.subarray(end)]));
  await then();
  writeFileSync(path, whole);
}

test.each([
  [model, 'model.safetensors', {}],
  [adapter, 'adapter_model.safetensors', { lora }],
])('an invalid step count is refused with its file: %s', async (folder, file, options) => {
  const engine = await open({ ...options, seed: 2 });
  const before = await engine.paramsSnapshot();
  for (const steps of ['abc', '-1', '1e400', '1.5', '', '9007199254740993']) {
    const setSteps = ({ __metadata__ }: Header) => {
      __metadata__!.steps = steps;
    };
    await withChangedHeader(join(folder, file), setSteps, () =>
      withChangedHeader(join(folder, 'optimizer.safetensors'), setSteps, () =>
        expect(engine.load(folder)).rejects.toThrow(
          `optimizer.safetensors: steps: expected a whole number of at least 0, got "${steps}"`,
        ),
      ),
    );
  }
  expect(await engine.paramsSnapshot()).toEqual(before);
  await engine.load(folder);
  expect(engine.steps).toBe(1);
});

test('an unsupported tensor type leaves all weights unchanged', async () => {
  const engine = await open({ seed: 2 });
  const before = await engine.paramsSnapshot();
  for (const [file, name] of [
    ['model', 'lm_head.weight'],
    ['optimizer', 'square.lm_head.weight'],
  ] as const) {
    const path = join(model, `${file}.safetensors`);
    const setType = (header: Header) => {
      header[name]!.dtype = 'I32';
    };
    await withChangedHeader(path, setType, () =>
      expect(engine.load(model)).rejects.toThrow(
        `${path}: tensor "${name}" is I32; F32, F16, BF16 can be read`,
      ),
    );
  }
  expect(await engine.paramsSnapshot()).toEqual(before);
});
