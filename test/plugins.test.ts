/**
 * Uses the two example domains as plug-ins of `cipo verify`, `cipo serve` and `cipo train`, one named by its file and the
 * other by its package. Leaves out: their verdicts, which are tested in examples/.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createLocalEngine } from '@cipo/engine';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BIN, cipo } from './cli/process.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 }); // processes on a busy machine

const ROOT = new URL('..', import.meta.url).pathname;
const DOMAINS = ['--domain', 'cipo-countdown', '--domain', join(ROOT, 'examples/sql/sql.ts')];
const rowsOf = (name: string) => readFileSync(join(ROOT, 'examples', name, 'rows.jsonl'), 'utf8');
const parsed = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const fenced = (query: unknown) => `\`\`\`sql\n${query}\n\`\`\``;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cipo-plugins-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every row of both examples with a correct response, then with incorrect ones that have a diagnostic. */
const ANSWERED = [
  ...parsed(rowsOf('countdown')).flatMap((row) => [
    { ...row, response: `<answer>${row.solution}</answer>`, wanted: 'accepted' },
    { ...row, response: '<answer>1 / (2 - 2)</answer>', wanted: 'unreadable_answer' },
  ]),
  ...parsed(rowsOf('sql')).flatMap((row) => [
    { ...row, response: fenced(row.query), wanted: 'accepted' },
    { ...row, response: fenced(`DROP TABLE x; ${row.query}`), wanted: 'compile_error' },
    { ...row, response: fenced("ATTACH 'x' AS y"), wanted: 'sandbox_violation' },
  ]),
];

test('cipo verify judges rows of two plug-ins together, in their order', async () => {
  const text = ANSWERED.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(join(folder, 'answers.jsonl'), text);
  const args = ['verify', 'answers.jsonl', '--quiet', ...DOMAINS];
  const { code, out, err } = await cipo({ args, cwd: folder });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const wanted = ANSWERED.map((row) => ({
    id: 'id' in row ? row.id : '',
    status: row.wanted,
    reward: row.wanted === 'accepted' ? 1 : 0,
  }));
  expect(parsed(out).map(({ id, status, reward }) => ({ id, status, reward }))).toEqual(wanted);
});

test('the error for an invalid row of a plug-in names its field, and the other rows are judged', async () => {
  const [good] = ANSWERED;
  const bad = { domain: 'countdown', nums: [1], target: 7, response: 'x' };
  writeFileSync(join(folder, 'bad.jsonl'), `${JSON.stringify(bad)}\n${JSON.stringify(good)}\n`);
  const args = ['verify', 'bad.jsonl', '--quiet', ...DOMAINS];
  const { code, out } = await cipo({ args, cwd: folder });
  expect(code).toBe(3);
  const [first, second] = parsed(out);
  expect(first).toMatchObject({ status: 'bad_task', reward: null });
  expect(JSON.stringify(first)).toContain('nums');
  expect(second).toMatchObject({ status: 'accepted' });
});

test('cipo serve judges rows of two plug-ins', async () => {
  const args = [BIN, 'serve', '--port', '0', '--workers', '1', '--log', 'off', ...DOMAINS];
  const server = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  try {
    const { value: line } = await createInterface(server.stdout)[Symbol.asyncIterator]().next();
    const url = String(line).replace('listening on ', '');
    for (const row of [...ANSWERED.slice(0, 2), ...ANSWERED.slice(-3)]) {
      const response = await fetch(`${url}/v1/verify`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(row),
      });
      const reward = row.wanted === 'accepted' ? 1 : 0;
      expect(await response.json()).toMatchObject({ status: row.wanted, reward });
    }
  } finally {
    server.kill('SIGTERM');
    await ended;
  }
});

/** Writes a random policy with a general vocabulary: the shipped one only knows the characters of its own tasks. */
async function makePolicy(directory: string): Promise<void> {
  const config = {
    hidden_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 64,
    max_position_embeddings: 2048,
    vocab_size: 500,
    eos_token_id: 2,
  };
  const engine = await createLocalEngine({ config, seed: 1 });
  await engine.save(directory, { weightsOnly: true });
  await engine.close();
  const tokenizer = join(ROOT, 'datasets/models/fixtures/tokenizers/gpt2');
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(join(tokenizer, name), join(directory, name));
}

describe('cipo train', () => {
  beforeAll(() => makePolicy(join(folder, 'policy')));

  test.each([
    ['countdown', DOMAINS.slice(0, 2)],
    ['sql', DOMAINS.slice(2)],
  ])(
    'cipo train trains on rows of %s and on corrections with its diagnostics',
    async (name, domain) => {
      const rows = join(ROOT, 'examples', name, 'rows.jsonl');
      const settings = [
        `tasks.train=${rows}`,
        `tasks.heldOut=${rows}`,
        'rollout.prompts=4',
        'rollout.groupSize=4',
        'rollout.maxTokens=160',
        'evaluation.tasks=2',
        'evaluation.samples=2',
        'corrections.diagnosticsRate=1',
        'reward.terms.format=0.5',
        'reward.terms.language=0.5',
      ].flatMap((setting) => ['--set', setting]);
      const args = [
        'train',
        '--model',
        'policy',
        '--steps',
        '2',
        '--out',
        name,
        ...domain,
        ...settings,
      ];
      const { code, out, err } = await cipo({ args, cwd: folder });
      expect(code, `${out}\n${err}`).toBe(0);
      const read = (file: string) => parsed(readFileSync(join(folder, name, file), 'utf8'));
      const metrics = read('metrics.jsonl');
      expect(metrics.map(({ step }) => step)).toEqual([1, 2]);
      for (const row of metrics) {
        expect(row).toMatchObject({ void_rate: 0, 'rewards/correct/mean': 0 });
        expect(row[`reward/${name}`]).toBe(row.reward);
        expect(row.grad_norm).toBeGreaterThan(0); // the language term distinguishes random texts
      }
      const samples = read('samples.jsonl');
      expect(new Set(samples.map(({ kind }) => kind))).toEqual(new Set([name]));
      const corrections = samples.filter(({ stream }) => stream === 'correction');
      expect(corrections.length).toBeGreaterThan(0);
      for (const { anchor } of corrections)
        expect((anchor as { diagnosticsShown: string[] }).diagnosticsShown).not.toEqual([]);
    },
  );
});
