/**
 * Compares agreement and throughput with Math-Verify on the same pairs in the same run, by CPU time of one core each.
 *
 *   benchmarks/math/setup-peer.sh && node benchmarks/math/compare.ts [--step N] [--peer FOLDER] [--out FILE]
 *
 * `--step` takes every N-th reference of MATH (default 40). Every disagreement with a label is written to `--out`
 * (default benchmarks/math/out/disagreements.jsonl). This project's
 * verifier runs once to warm up and forgets all references before it is timed.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { forgetReferences, verdictOf } from '../../packages/verifier/src/math/verdict.ts';
import { type Item, pairSets } from './sets.ts';

const { values } = parseArgs({
  options: {
    step: { type: 'string', default: '40' },
    peer: {
      type: 'string',
      default: `${process.env.XDG_CACHE_HOME ?? `${homedir()}/.cache`}/cipo-bench/math-verify`,
    },
    out: {
      type: 'string',
      default: fileURLToPath(new URL('out/disagreements.jsonl', import.meta.url)),
    },
  },
});

interface Result {
  readonly passed: readonly (boolean | null)[];
  readonly seconds: number;
}

function runOurs(items: readonly Item[]): Result {
  const judge = (item: Item): boolean | null => {
    const verdict = verdictOf(item, { text: item.response });
    return verdict.kind === 'void' ? null : verdict.passed;
  };
  for (const item of items) judge(item);
  forgetReferences();
  const began = process.threadCpuUsage();
  const passed = items.map(judge);
  const used = process.threadCpuUsage(began);
  return { passed, seconds: (used.user + used.system) / 1e6 };
}

function runPeer(items: readonly Item[]): Result {
  const input = items
    .map(({ answer, response }) => JSON.stringify({ answer, response }))
    .join('\n');
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const run = spawnSync(`${values.peer}/bin/python`, [script], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0) {
    throw new Error(
      `Math-Verify failed: run benchmarks/math/setup-peer.sh first\n${run.error ?? run.stderr}`,
    );
  }
  const rows = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { passed: boolean | null; seconds: number });
  return {
    passed: rows.map((row) => row.passed),
    seconds: rows.reduce((sum, row) => sum + row.seconds, 0),
  };
}

function percent(n: number, of: number): string {
  return `${((100 * n) / of).toFixed(2)} %`;
}

function rate(n: number, seconds: number): string {
  return `${Math.round(n / seconds)}`;
}

function tableRow(name: string, items: readonly Item[], a: Result, b: Result): string {
  const agree = (r: Result): number => items.filter((item, k) => r.passed[k] === item.label).length;
  const falseAccepts = (r: Result): number =>
    items.filter((item, k) => r.passed[k] === true && !item.label).length;
  return [
    '',
    name,
    items.length,
    percent(agree(a), items.length),
    falseAccepts(a),
    rate(items.length, a.seconds),
    percent(agree(b), items.length),
    falseAccepts(b),
    rate(items.length, b.seconds),
    `${(b.seconds / a.seconds).toFixed(0)}x`,
    '',
  ]
    .join(' | ')
    .trim();
}

const lines: string[] = [];
console.log(
  '| set | pairs | ours | false accepts | pairs/s/core | Math-Verify | false accepts | pairs/s/core | ratio |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const [name, items] of pairSets(Number(values.step))) {
  const [a, b] = [runOurs(items), runPeer(items)];
  console.log(tableRow(name, items, a, b));
  for (const [k, item] of items.entries()) {
    if (a.passed[k] === item.label && b.passed[k] === item.label) continue;
    lines.push(
      JSON.stringify({
        set: name,
        id: item.id,
        answer: item.answer,
        response: item.response.slice(-200),
        label: item.label,
        ours: a.passed[k],
        mathVerify: b.passed[k],
      }),
    );
  }
}
mkdirSync(dirname(values.out), { recursive: true });
writeFileSync(values.out, `${lines.join('\n')}\n`);
console.log(
  `\n${lines.length} pairs on which one of the two differs from the label: ${values.out}`,
);
