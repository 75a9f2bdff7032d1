/**
 * Many attempts, good, wrong and hostile, with the parent's memory and handles at the start and at the
 * end. Every honest answer among them must be judged as it would be alone.
 *
 *   node --expose-gc benchmarks/sandbox/soak.ts [--attempts 20000] [--python]
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createCodeVerifier, parseCodeTask } from '../../packages/verifier/src/code/index.ts';

const { values } = parseArgs({
  options: { attempts: { type: 'string', default: '20000' }, python: { type: 'boolean' } },
});
const attempts = Number(values.attempts);
const language = values.python ? 'python' : 'javascript';
const tests = {
  type: 'call',
  entry: 'f',
  cases: [1, 2, 3].map((x) => ({ args: [x], expected: 2 * x })),
};
const task = parseCodeTask({ language, tests, limits: { cpuMs: 150 } });

/** What is asked how often: code, the status it must get. */
const MIX: Record<'javascript' | 'python', readonly (readonly [number, string, RegExp])[]> = {
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
    [2, 'def f(x): return bytearray(10**10)', /^memory_limit$/],
  ],
};

function* questions(): Generator<{ code: string; want: RegExp }> {
  const bag = MIX[language].flatMap(([share, code, want]) => Array(share).fill({ code, want }));
  for (let i = 0; i < attempts; i++) yield bag[(i * 7919) % bag.length];
}

const verifier = createCodeVerifier({ workers: 2 });
await verifier.verify(task, MIX[language][0]![1]);
const before = picture();
const began = performance.now();
const asked = [...questions()];
const items = asked.map(({ code }) => ({ task, attempt: code }));
const wrong = new Map<string, number>();
let peakMb = 0;
for await (const { index, verdict } of verifier.verifyAsCompleted(items)) {
  const status = verdict.kind === 'judged' ? verdict.status : `void ${verdict.fault}`;
  if (!asked[index]!.want.test(status)) {
    const key = `${status}: ${asked[index]!.code}`;
    wrong.set(key, (wrong.get(key) ?? 0) + 1);
  }
  if (index % 1000 === 0) peakMb = Math.max(peakMb, process.memoryUsage().rss / 1e6);
}
const seconds = (performance.now() - began) / 1000;
const after = picture();
await verifier.close();
console.table({ start: before, end: after, closed: picture() });
console.log(
  `${attempts} ${language} attempts in ${seconds.toFixed(0)} s, ${(attempts / seconds).toFixed(0)}/s, peak ${peakMb.toFixed(0)} MB`,
);
console.log(wrong.size === 0 ? 'every status as it must be' : [...wrong]);
process.exitCode = wrong.size === 0 ? 0 : 1;

function picture() {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    rssMb: Math.round(rss / 1e6),
    heapMb: Math.round(heapUsed / 1e6),
    handles: process.getActiveResourcesInfo().length,
    files: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
  };
}
