/**
 * Compares a saved adapter in this engine with PEFT in Python: greedy completions of the same prompts, and their
 * logprobs.
 *
 *   node benchmarks/engine/adapter.ts FOLDER [--rows datasets/arithmetic-in-words/held-out.jsonl] [--prompts 20]
 *
 * FOLDER holds adapter_config.json, which names the base model. Needs the Python of setup-peer.sh.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readAdapterConfig, readConfig } from '../../packages/engine/src/index.ts';
import { endIds } from '../../packages/engine/src/model/config.ts';
import { openPolicy, trainConfig } from '../../packages/trainer/src/index.ts';
import { Peer } from './peer.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: 'datasets/arithmetic-in-words/held-out.jsonl' },
    prompts: { type: 'string', default: '20' },
    threads: { type: 'string', default: '2' },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('name the folder of an adapter');
const maxTokens = 24;
const threads = Number(values.threads);

interface PeerAnswer {
  readonly tokens: readonly number[];
  readonly logprobs: readonly number[];
}

const { base } = await readAdapterConfig(folder);
const ends = endIds(await readConfig(base));
const policy = await openPolicy(
  folder,
  trainConfig.parse({ engine: { threads }, rollout: { maxTokens } }),
  false,
);
const lines = readFileSync(values.rows, 'utf8').trim().split('\n').slice(0, Number(values.prompts));
const prompts = lines.map((line) => policy.tokenizer.renderChat(JSON.parse(line).prompt));
const greedy = { groupSize: 1, maxTokens, temperature: 0, seed: 1 };
const answers = (await policy.engine.sample(prompts, greedy)).map(([sample]) => sample!.tokens);
const sequences = prompts.map((prompt, i) => Int32Array.of(...prompt, ...answers[i]!));
const scored = await policy.engine.logprobs(sequences);
await policy.engine.close();

const peer = new Peer('peer_adapter.py', threads);
await peer.ask({ base, adapter: resolve(folder), threads });
let [same, gap] = [0, 0];
for (const [i, prompt] of prompts.entries()) {
  const answer = [...answers[i]!];
  const request = { prompt: [...prompt], answer, maxTokens, ends };
  const theirs = await peer.ask<PeerAnswer>(request);
  const ours = scored[i]!.subarray(prompt.length);
  const own = Math.max(...theirs.logprobs.map((logp, t) => Math.abs(logp - ours[t]!)));
  gap = Math.max(gap, own);
  const isSame = theirs.tokens.join() === answer.join();
  if (isSame) same += 1;
  const text = (tokens: ArrayLike<number>) => JSON.stringify(policy.tokenizer.decode(tokens));
  const other = isSame ? '' : `, PEFT: ${text(theirs.tokens)}`;
  console.log(`${isSame ? 'same' : 'DIFFERS'} (${own.toExponential(1)})  ${text(answer)}${other}`);
}
peer.close();
console.log(
  `\n${same} of ${prompts.length} greedy answers are the same tokens; logprobs of ${answers.reduce((n, a) => n + a.length, 0)} tokens differ by at most ${gap.toExponential(1)} nats`,
);
