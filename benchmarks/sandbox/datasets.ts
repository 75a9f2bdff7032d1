/**
 * Verifies labeled public data. Prints how many verdicts agree with the labels, then every exception.
 *
 *   node benchmarks/sandbox/datasets.ts [set ...] [--workers N] [--only ID] [--twice]
 *
 * `--only` selects the attempts whose id contains the text.
 * `--twice` verifies everything a second time, one at a time, and compares the verdicts.
 */
import { parseArgs } from 'node:util';
import { createCodeVerifier, parseCodeTask } from '../../packages/verifier/src/code/index.ts';
import type { Verdict } from '../../packages/verifier/src/types.ts';
import { isAvailable, type Labelled, SETS } from './sources.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    twice: { type: 'boolean' },
  },
});

if (!isAvailable) {
  console.error('The data was not found. Set CIPO_SHARED to its folder.');
  process.exit(2);
}

const names = positionals.length > 0 ? positionals : Object.keys(SETS);
const unknown = names.filter((name) => !Object.hasOwn(SETS, name));
if (unknown.length > 0) {
  console.error(
    `Expected one of the sets ${Object.keys(SETS).join(', ')}, got "${unknown.join('", "')}".`,
  );
  process.exit(2);
}
const cases = names.flatMap((name) => SETS[name]!()).filter(({ id }) => id.includes(values.only));
const verifier = createCodeVerifier({ workers: Number(values.workers) });
const items = cases.map(({ row, program }) => ({ task: parseCodeTask(row), attempt: program }));

const began = performance.now();
const verdicts: Verdict[] = await Promise.all(
  items.map(({ task, attempt }) => verifier.verify(task, attempt)),
);
const seconds = (performance.now() - began) / 1000;

report(cases, verdicts);
console.log(`${cases.length} attempts in ${seconds.toFixed(1)} s`);
if (values.twice) await verifyAgain();
await verifier.close();

function report(cases: readonly Labelled[], verdicts: readonly Verdict[]): void {
  const sets = [...new Set(cases.map(({ set }) => set))];
  const asLabelled = (i: number) => passed(verdicts[i]!) === cases[i]!.isCorrect;
  console.table(
    sets.map((set) => {
      const own = cases.flatMap((c, i) => (c.set === set ? [i] : []));
      return { set, attempts: own.length, 'as labelled': own.filter(asLabelled).length };
    }),
  );
  cases.forEach((one, i) => {
    if (!asLabelled(i)) console.log(`${one.set}: ${one.id}: ${describeVerdict(verdicts[i]!)}`);
  });
}

function passed(verdict: Verdict): boolean | undefined {
  return verdict.kind === 'judged' ? verdict.passed : undefined;
}

function describeVerdict(verdict: Verdict): string {
  if (verdict.kind === 'void') return `void ${verdict.fault}: ${verdict.detail.slice(0, 200)}`;
  const [first] = verdict.diagnostics;
  return `${verdict.status} ${first?.message.slice(0, 160) ?? ''}`;
}

async function verifyAgain(): Promise<void> {
  const withoutTimes = (verdict: Verdict) =>
    JSON.stringify(verdict, (key, value) => (key === 'cpuMs' || key === 'wallMs' ? 0 : value));
  let different = 0;
  for (const [i, { task, attempt }] of items.entries()) {
    const alone = await verifier.verify(task, attempt);
    if (withoutTimes(alone) === withoutTimes(verdicts[i]!)) continue;
    different++;
    console.log(
      `changed: ${cases[i]!.id}: ${describeVerdict(verdicts[i]!)} | alone: ${describeVerdict(alone)}`,
    );
  }
  console.log(`judged again, one at a time: ${different} of ${items.length} verdicts differ`);
}
