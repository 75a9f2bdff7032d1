/**
 * Runs all attacks and prints the results of each class.
 *
 *   node test/hostile/run.ts [javascript|python] [--verbose]
 */
import { parseArgs } from 'node:util';
import { JAVASCRIPT } from './javascript.ts';
import { PYTHON } from './python.ts';
import { openVerifier, type Result, runAttacks } from './suite.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { verbose: { type: 'boolean' } },
});
const suites = { javascript: JAVASCRIPT, python: PYTHON };
let failed = 0;

for (const language of ['javascript', 'python'] as const) {
  if (positionals.length > 0 && !positionals.includes(language)) continue;
  const verifier = openVerifier();
  const before = process.memoryUsage().rss;
  const began = performance.now();
  const results = await runAttacks(verifier, language, suites[language], ({ attack, status }) => {
    if (values.verbose) console.log(`${status.padEnd(20)} ${attack.kind}: ${short(attack.code)}`);
  });
  await verifier.close();
  report(language, results);
  const grown = (process.memoryUsage().rss - before) / 1e6;
  const seconds = (performance.now() - began) / 1000;
  console.log(`${language}: ${seconds.toFixed(0)} s, parent grew by ${grown.toFixed(0)} MB`);
}
process.exitCode = failed > 0 ? 1 : 0;

function report(language: string, results: readonly Result[]): void {
  const kinds = [...new Set(results.map(({ attack }) => attack.kind))];
  console.table(
    kinds.map((kind) => {
      const own = results.filter(({ attack }) => attack.kind === kind);
      const statuses = [...new Set(own.map(({ status }) => status))].sort().join(' ');
      return {
        language,
        kind,
        attacks: own.length,
        contained: own.filter((r) => !r.problem).length,
        statuses,
      };
    }),
  );
  for (const { attack, problem } of results) {
    if (!problem) continue;
    failed++;
    console.log(`${attack.kind}: ${problem}\n    ${short(attack.code)}`);
  }
}

function short(code: string): string {
  return JSON.stringify(code.length > 300 ? `${code.slice(0, 300)}…` : code);
}
