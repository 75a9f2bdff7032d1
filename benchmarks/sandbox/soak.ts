/**
 * Verifies many correct, incorrect and hostile attempts in both languages, and prints the memory, handles and processes
 * of the parent over time. Every attempt must get its expected status.
 *
 * node --expose-gc benchmarks/sandbox/soak.ts [--attempts 20000] [--only javascript|python]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createCodeVerifier, parseCodeTask } from '../../packages/verifier/src/code/index.ts';

const { values } = parseArgs({
  options: { attempts: { type: 'string', default: '20000' }, only: { type: 'string' } },
});
const attempts = Number(values.attempts);
type Language = 'javascript' | 'python';
const taskFor = (language: Language) =>
  parseCodeTask({
    language,
    tests: {
      type: 'call',
      entry: 'f',
      cases: [1, 2, 3].map((x) => ({ args: [x], expected: 2 * x })),
    },
    limits: { cpuMs: 150 },
  });
const TASKS = { javascript: taskFor('javascript'), python: taskFor('python') };

/** Attempts by language: how often each occurs, its program, the status that it must get. */
const MIX: Record<Language, readonly (readonly [number, string, RegExp])[]> = {
  javascript: [
    [600, 'const f = (x) => 2 * x', /^accepted$/],
    [300, 'const f = (x) => x + 2', /^wrong_answer$/],
    [60, 'const f = (x) => x.y.z', /^runtime_error$/],
    [25, 'const f = (x => {', /^compile_error$/],
    [4, 'const f = () => { for (;;); }', /^time_limit$/],
    [4, 'const f = () => { for (;;) console.log("x".repeat(1e5)) }', /^output_limit$/],
    [1, 'const f = () => { const a = []; for (;;) a.push(new Array(1e4).fill(1)) }', /_limit$/],
    [1, 'const f = () => { const a = []; for (;;) a.push(new ArrayBuffer(1 << 24)) }', /./],
    [1, 'const f = () => Array.prototype.fill.call({ length: 2 ** 50 }, 0)', /_limit$|crashed/],
  ],
  python: [
    [600, 'def f(x): return 2 * x', /^accepted$/],
    [300, 'def f(x): return x + 2', /^wrong_answer$/],
    [60, 'def f(x): return x.y', /^runtime_error$/],
    [30, 'def f(x', /^compile_error$/],
    [4, 'def f(x):\n    while True: pass', /^time_limit$/],
    [2, 'def f(x): return bytearray(10**9)', /^memory_limit$/],
  ],
};

interface Attempt {
  readonly language: Language;
  readonly code: string;
  readonly expected: RegExp;
}

/** Every fourth attempt is in Python, unless `--only` selects a language. */
function makeAttempts(): Attempt[] {
  const bags = Object.fromEntries(
    Object.entries(MIX).map(([language, mix]) => [
      language,
      mix.flatMap(([share, code, expected]) =>
        Array.from({ length: share }, () => ({ code, expected })),
      ),
    ]),
  );
  const counts = { javascript: 0, python: 0 };
  return Array.from({ length: attempts }, (_, i) => {
    const language = (values.only ?? (i % 4 === 3 ? 'python' : 'javascript')) as Language;
    const bag = bags[language]!;
    return { language, ...bag[(counts[language]++ * 7919) % bag.length]! };
  });
}

const verifier = createCodeVerifier({ workers: 2 });
for (const language of Object.keys(MIX) as Language[]) {
  if (values.only && language !== values.only) continue;
  await verifier.verify(TASKS[language], MIX[language][0]![1]);
}
const before = measure();
const began = performance.now();
const mix = makeAttempts();
const items = mix.map(({ language, code }) => ({ task: TASKS[language], attempt: code }));
const unexpected = new Map<string, number>();
const statuses = new Map<string, number>();
const quarters: Record<string, ReturnType<typeof measure>> = {};
let done = 0;
for await (const { index, verdict } of verifier.verifyAsCompleted(items)) {
  const status = verdict.kind === 'judged' ? verdict.status : `void ${verdict.fault}`;
  const name = `${mix[index]!.language} ${status}`;
  statuses.set(name, (statuses.get(name) ?? 0) + 1);
  if (!mix[index]!.expected.test(status)) {
    const key = `${status}: ${mix[index]!.code}`;
    unexpected.set(key, (unexpected.get(key) ?? 0) + 1);
  }
  done++;
  for (const part of [1, 2, 3])
    if (done === Math.floor((attempts * part) / 4)) quarters[`${part}/4`] = measure();
}
const seconds = (performance.now() - began) / 1000;
const after = measure();
await verifier.close();
console.table([...statuses].sort().map(([what, count]) => ({ what, count })));
console.table({ start: before, ...quarters, end: after, closed: measure() });
console.log(
  `${attempts} attempts in ${seconds.toFixed(0)} s, ${(attempts / seconds).toFixed(0)}/s`,
);
console.log(unexpected.size === 0 ? 'every status is as expected' : [...unexpected]);
process.exitCode = unexpected.size === 0 ? 0 : 1;

function measure() {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    rssMb: Math.round(rss / 1e6),
    heapMb: Math.round(heapUsed / 1e6),
    handles: process.getActiveResourcesInfo().length,
    files: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
    processes: process.platform === 'linux' ? childCount() : 0,
  };
}

/** Children of all threads of this process. */
function childCount(): number {
  return readdirSync('/proc/self/task').reduce((sum, task) => {
    const children = readFileSync(`/proc/self/task/${task}/children`, 'utf8');
    return sum + children.split(' ').filter((pid) => pid.trim() !== '').length;
  }, 0);
}
