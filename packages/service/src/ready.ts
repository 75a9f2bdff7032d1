/** Starts sandboxes ahead of the first row and sees that they judge. Leaves out: watching them afterwards. */
import { availableParallelism } from 'node:os';
import type { DomainSet } from '@cipo/verifier/domains';

const PROGRAMS: Readonly<Record<string, string>> = {
  python: 'def f(x):\n    return x',
  javascript: 'const f = (x) => x',
  typescript: 'const f = (x: number) => x',
};

const DEFAULT_LANGUAGES = ['python', 'javascript'];

/** @throws where a right answer is not accepted */
export async function warmUp(
  domains: DomainSet,
  languages: readonly string[] = DEFAULT_LANGUAGES,
  workers = availableParallelism(),
): Promise<void> {
  await check(domains, 'math', { answer: '1' }, '\\boxed{1}');
  await Promise.all(
    languages.flatMap((language) =>
      // One attempt a cell, at the same time, starts every cell of the pool.
      Array.from({ length: workers }, () =>
        check(domains, 'code', rowFor(language), PROGRAMS[language] ?? ''),
      ),
    ),
  );
}

function rowFor(language: string) {
  const tests = { type: 'call', entry: 'f', cases: [{ args: [1], expected: 1 }] };
  return { id: `ready-${language}`, language, tests };
}

async function check(
  domains: DomainSet,
  name: string,
  row: Readonly<Record<string, unknown>>,
  text: string,
): Promise<void> {
  const domain = domains.get(name);
  const verdict = await domain.verify(domain.parse(row), { text, stop: 'end' });
  if (verdict.kind === 'judged' && verdict.passed) return;
  const what = verdict.kind === 'void' ? `${verdict.fault}: ${verdict.detail}` : verdict.status;
  throw new Error(`the ${name} judge is not ready: ${what}`);
}
