/**
 * Judges the rows of files with the library alone and prints how long judging took. `throughput.ts` compares `cipo verify`
 * with it. It is a separate process, because the command is one too.
 *
 *   node benchmarks/verify/library.ts WORKERS FILE...
 */
import { readFileSync } from 'node:fs';
import { createCodeVerifier, parseCodeTask } from '../../packages/verifier/src/code/index.ts';
import { mathDomain } from '../../packages/verifier/src/math/index.ts';
import { type NormalizedRow, normalizeRow } from '../../packages/verifier/src/rows/index.ts';
import type { Verdict } from '../../packages/verifier/src/types.ts';
import { DEFAULTS } from './rows.ts';

const [workers, ...files] = process.argv.slice(2);
const code = createCodeVerifier({ workers: Number(workers) });
const math = mathDomain();

const jobs = files.flatMap((file) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => jobOf(normalizeRow({ ...DEFAULTS, ...JSON.parse(line) }))),
);

const began = performance.now();
const verdicts = await Promise.all(jobs.map((job) => job()));
const seconds = (performance.now() - began) / 1000;
const passed = verdicts.filter((v) => v.kind === 'judged' && v.passed).length;
console.log(JSON.stringify({ rows: jobs.length, passed, seconds }));
await Promise.all([code.close(), math.close?.()]);

function jobOf({ domain, response = '', fields }: NormalizedRow): () => Promise<Verdict> {
  const attempt = { text: response, stop: 'end' } as const;
  if (domain === 'code') {
    const task = parseCodeTask(fields);
    return () => code.verify(task, attempt);
  }
  const task = math.parse(fields);
  return () => math.verify(task, attempt);
}
