/**
 * Judges the labelled public data and prints a table of how many verdicts are as labelled, then every
 * exception by name.
 *
 *   node benchmarks/sandbox/datasets.ts [set ...] [--workers N] [--only ID] [--twice]
 *
 * `--only` keeps the answers whose id contains the text.
 * `--twice` judges everything a second time, one at a time, and compares the verdicts.
 */
import { parseArgs } from 'node:util';
import { createCodeVerifier, parseCodeTask } from '../../packages/verifier/src/code/index.ts';
import type { Verdict } from '../../packages/verifier/src/types.ts';
import { available, type Labelled, SETS } from './sources.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    twice: { type: 'boolean' },
  },
});

if (!available) {
  console.error('The data is not here. Name its folder in CIPO_SHARED.');
  process.exit(2);
}

const names = positionals.length > 0 ? positionals : Object.keys(SETS);
const unknown = names.filter((name) => !Object.hasOwn(SETS, name));
if (unknown.length > 0) {
  console.error(`No set "${unknown.join('", "')}"; there are ${Object.keys(SETS).join(', ')}.`);
  process.exit(2);
}
const cases = names.flatMap((name) => SETS[name]!()).filter(({ id }) => id.includes(values.only));
const verifier = createCodeVerifier({ workers: Number(values.workers) });
const items = cases.map(({ row, answer }) => ({ task: parseCodeTask(row), attempt: answer }));

const began = performance.now();
const verdicts: Verdict[] = await Promise.all(
  items.map(({ task, attempt }) => verifier.verify(task, attempt)),
);
const seconds = (performance.now() - began) / 1000;

report(cases, verdicts);
console.log(`${cases.length} attempts in ${seconds.toFixed(1)} s`);
if (values.twice) await again();
await verifier.close();

function report(cases: readonly Labelled[], verdicts: readonly Verdict[]): void {
  const sets = [...new Set(cases.map(({ set }) => set))];
  const asLabelled = (i: number) => passed(verdicts[i]!) === cases[i]!.right;
  console.table(
    sets.map((set) => {
      const own = cases.flatMap((c, i) => (c.set === set ? [i] : []));
      return { set, answers: own.length, 'as labelled': own.filter(asLabelled).length };
    }),
  );
  cases.forEach((one, i) => {
    if (!asLabelled(i)) console.log(`${one.set}: ${one.id}: ${words(verdicts[i]!)}`);
  });
}

function passed(verdict: Verdict): boolean | undefined {
  return verdict.kind === 'judged' ? verdict.passed : undefined;
}

function words(verdict: Verdict): string {
  if (verdict.kind === 'void') return `void ${verdict.fault}: ${verdict.detail.slice(0, 200)}`;
  const [first] = verdict.diagnostics;
  return `${verdict.status} ${first?.message.slice(0, 160) ?? ''}`;
}

async function again(): Promise<void> {
  const picture = (verdict: Verdict) =>
    JSON.stringify(verdict, (key, value) => (key === 'cpuMs' || key === 'wallMs' ? 0 : value));
  let different = 0;
  for (const [i, { task, attempt }] of items.entries()) {
    const alone = await verifier.verify(task, attempt);
    if (picture(alone) === picture(verdicts[i]!)) continue;
    different++;
    console.log(`changed: ${cases[i]!.id}: ${words(verdicts[i]!)} | alone: ${words(alone)}`);
  }
  console.log(`judged again, one at a time: ${different} of ${items.length} verdicts differ`);
}
