/**
 * Compares SmolLM2-135M-Instruct with transformers (logits, loss, all gradients, greedy text) and llama.cpp (greedy
 * text), and measures loading. Needs setup-peer.sh and fetch-smollm2.sh of this folder, and 4 GB of memory.
 * Usage: node benchmarks/models/smollm2.ts [FOLDER that fetch-smollm2.sh printed]
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openExecutor } from '../../packages/engine/src/executors/open.ts';
import { loadLocalEngine } from '../../packages/engine/src/index.ts';
import { relativeError } from '../../packages/engine/src/testing/data.ts';
import { logitsOf } from '../../packages/engine/src/testing/logits.ts';
import { readModel } from '../../packages/engine/src/weights/checkpoint.ts';
import { openSafetensors } from '../../packages/engine/src/weights/safetensors.ts';
import { loadTokenizer } from '../../packages/trainer/src/policy/tokenizer.ts';
import { announce, printTable } from '../engine/common.ts';
import { Peer } from '../engine/peer.ts';

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const folder = process.argv[2] ?? join(cache, 'cipo-bench/smollm2/model');
const gguf = process.argv[3] ?? join(dirname(folder), 'SmolLM2-135M-Instruct.Q4_1.gguf');
if (!existsSync(folder)) throw new Error(`no ${folder}: run benchmarks/models/fetch-smollm2.sh`);

const threads = 2;
const longest = 64;
const tokenizer = loadTokenizer(folder);
const questions = [
  'What is gravity?',
  'What is 17 + 25?',
  'Write a haiku about rain.',
  'List three prime numbers.',
  'Translate to French: good morning.',
];
const prompts = questions.map((content) => [...tokenizer.renderChat([{ role: 'user', content }])]);
const story = tokenizer.encode(
  'Gravity pulls the apple to the ground; \\frac{1}{2} g t^2 is how far it falls. def f(t): return 4.9 * t ** 2',
);
const scratch = mkdtempSync(join(tmpdir(), 'cipo-smollm2-'));
const peer = new Peer('./peer_models.py', threads);
function figure(x: number) {
  return x.toExponential(1);
}

/** Logits, loss and gradients of one text. */
async function compareNumbers(): Promise<string[][]> {
  const out = join(scratch, 'expected.safetensors');
  const request = { do: 'score', model: folder, tokens: [...story], out, threads };
  const { loss } = await peer.ask<{ loss: number }>(request);
  const expected = await openSafetensors(out);
  const executor = await openExecutor({ threads });
  const logits = await logitsOf(executor, await readModel(folder), story, story.length);
  await executor.close();
  const began = performance.now();
  const engine = await loadLocalEngine(folder, { threads });
  const loadSeconds = (performance.now() - began) / 1000;
  const share = 1 / (story.length - 1);
  const weights = Float32Array.from(story, (_, t) => (t === 0 ? 0 : share));
  const found = await engine.forwardBackward([{ tokens: story, weights }], {
    kind: 'cross_entropy',
  });
  let worst = ['', 0] as [string, number];
  for (const [name, gradient] of Object.entries(await engine.gradientsSnapshot())) {
    const error = relativeError(gradient, await expected.read(`grad.${name}`));
    if (error > worst[1]) worst = [name, error];
  }
  const logitError = relativeError(logits, await expected.read('logits'));
  await expected.close();
  await engine.close();
  return [
    ['logits, largest difference over largest', figure(logitError)],
    ['loss, relative difference', figure(Math.abs(found.loss - loss) / loss)],
    [`gradient that differs most (${worst[0]})`, figure(worst[1])],
    ['seconds to load 538 MB', loadSeconds.toFixed(1)],
  ];
}

/** Number of leading greedy tokens that another engine has in common with this one. */
function agreement(ours: readonly number[][], theirs: readonly number[][]): string {
  const counts = ours.map((a, i) => {
    const b = theirs[i]!;
    let n = 0;
    while (n < a.length && a[n] === b[n]) n++;
    return `${n}/${a.length}`;
  });
  return counts.join(', ');
}

async function compareTexts(): Promise<string[][]> {
  const engine = await loadLocalEngine(folder, { threads });
  const ours: number[][] = [];
  for (const prompt of prompts) {
    const options = { groupSize: 1, maxTokens: longest, temperature: 0, seed: 1 };
    const samples = await engine.sample([Int32Array.from(prompt)], options);
    for (const { tokens } of samples.flat()) ours.push([...tokens]);
  }
  await engine.close();
  type Made = { tokens: number[][] };
  const asked = { prompts, max: longest, threads };
  const torch = await peer.ask<Made>({ do: 'generate', model: folder, ...asked });
  const rows = [['transformers, float32', agreement(ours, torch.tokens)]];
  if (existsSync(gguf)) {
    const out = join(scratch, 'f32.gguf');
    await peer.ask({ do: 'dequantise', gguf, out });
    const plain = await peer.ask<Made>({ do: 'llama', gguf: out, ...asked });
    rows.push(['llama.cpp, the same weights in F32', agreement(ours, plain.tokens)]);
    const quantised = await peer.ask<Made>({ do: 'llama', gguf, ...asked });
    rows.push(['llama.cpp, Q4_1 as it comes', agreement(ours, quantised.tokens)]);
  }
  announce(`"${questions[0]}" ${tokenizer.decode(ours[0]!)}`);
  return rows;
}

try {
  printTable(['against transformers, float32', ''], await compareNumbers());
  printTable(
    ['greedy tokens that agree', `of each of ${questions.length} answers`],
    await compareTexts(),
  );
} finally {
  peer.close();
  rmSync(scratch, { recursive: true, force: true });
}
