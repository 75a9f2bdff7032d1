/** The comparison of presets, on runs from disk whose results are known. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, type PresetName, type ProblemResult, trainConfig } from '@cipo/trainer';
import { afterAll, beforeAll, expect, test } from 'vitest';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cipo-compare-'));
});
afterAll(() => rm(directory, { recursive: true }));

const configure = (preset: PresetName, seed: number) => trainConfig.parse({ preset, seed });
const problem = (id: number, passed: number): ProblemResult => ({
  id: `p${id}`,
  kind: 'k',
  samples: 8,
  passed,
  wrongAnchors: 8 - passed,
  fixed: 0,
  rightAnchors: passed,
  kept: passed,
});

async function finished(
  preset: PresetName,
  seed: number,
  passed: (id: number) => number,
): Promise<void> {
  const path = join(directory, `${preset}-${seed}`);
  await mkdir(join(path, 'evaluations'), { recursive: true });
  const rows = (of: (id: number) => number) =>
    Array.from({ length: 40 }, (_, id) => `${JSON.stringify(problem(id, of(id)))}\n`).join('');
  await writeFile(join(path, 'config.json'), JSON.stringify(configure(preset, seed)));
  await writeFile(join(path, 'summary.json'), JSON.stringify({ preset, seed, interrupted: false }));
  await writeFile(
    join(path, 'evaluations', 'before.jsonl'),
    rows(() => 2),
  );
  await writeFile(join(path, 'evaluations', 'after.jsonl'), rows(passed));
}

test('finished runs are reused, and differences are paired by problem', async () => {
  for (const seed of [1, 2]) {
    await finished('grpo', seed, (id) => id % 8);
    await finished('cipo', seed, (id) => (id % 8) + 1);
  }
  const [grpo, cipo] = await compare({
    presets: ['grpo', 'cipo'],
    seeds: [1, 2],
    configure,
    directory,
  });
  expect(grpo!.before.passAt1.mean).toBeCloseTo(0.25, 10);
  expect(grpo!.difference.passAt1).toMatchObject({ mean: 0, low: 0, high: 0 });
  for (const end of ['mean', 'low', 'high'] as const)
    expect(cipo!.difference.passAt1[end]).toBeCloseTo(0.125, 10);
  expect(cipo!.after.passAt1.high - cipo!.after.passAt1.low).toBeGreaterThan(0.05);
});

test('a run with another configuration is rejected', async () => {
  await finished('dapo', 1, () => 4);
  const other = (preset: PresetName, seed: number) => ({ ...configure(preset, seed), steps: 7 });
  await expect(
    compare({ presets: ['dapo'], seeds: [1], configure: other, directory }),
  ).rejects.toThrow(/another configuration/);
});
