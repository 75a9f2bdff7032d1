/** Starts sandboxes before the first row and verifies that they judge. Leaves out: watching them afterwards. */
import { availableParallelism } from 'node:os';
import type { DomainSet } from '@cipo/verifier/domains';

/** A correct program for each language. */
const PROGRAMS: Readonly<Record<string, string>> = {
  python: 'def f(x):\n    return x',
  javascript: 'const f = (x) => x',
  typescript: 'const f = (x: number) => x',
};

const DEFAULT_LANGUAGES = ['python', 'javascript'];

/**
 * Verifies one correct answer in math and one correct program in every sandbox.
 *
 * @param workers number of sandboxes of each kind
 * @throws if one of them is not accepted
 */
export async function warmUp(
  domains: DomainSet,
  languages: readonly string[] = DEFAULT_LANGUAGES,
  workers = availableParallelism(),
): Promise<void> {
  await verifyKnownCorrect(domains, 'math', { answer: '1' }, '\\boxed{1}');
  await Promise.all(
    languages.flatMap((language) =>
      // One attempt per cell, all at the same time, starts every cell of the pool.
      Array.from({ length: workers }, () =>
        verifyKnownCorrect(domains, 'code', rowFor(language), PROGRAMS[language] ?? ''),
      ),
    ),
  );
}

function rowFor(language: string) {
  const tests = { type: 'call', entry: 'f', cases: [{ args: [1], expected: 1 }] };
  return { id: `ready-${language}`, language, tests };
}

async function verifyKnownCorrect(
  domains: DomainSet,
  name: string,
  row: Readonly<Record<string, unknown>>,
  text: string,
): Promise<void> {
  const domain = domains.get(name);
  const verdict = await domain.verify(domain.parse(row), { text, stop: 'end' });
  if (verdict.kind === 'judged' && verdict.passed) return;
  const result = verdict.kind === 'void' ? `${verdict.fault}: ${verdict.detail}` : verdict.status;
  throw new Error(`the ${name} judge is not ready: expected accepted, got ${result}`);
}
