/**
 * Lets both domains judge responses with known verdicts, in real sandboxes: a correct one, an incorrect one, and for code
 * an endless program and one that tries to kill the parent process.
 */
import { type Domain, preview } from '@cipo/verifier/types';

const MAX_DETAIL_CHARS = 400;

interface Outcome {
  readonly ok: boolean;
  readonly detail: string;
}

/** A response and the statuses that are expected for it. */
interface KnownResponse {
  readonly name: string;
  readonly text: string;
  readonly expected: readonly string[];
}

export async function judgeMath(): Promise<Outcome> {
  const { mathDomain } = await import('@cipo/verifier/math');
  return judge(mathDomain(), { prompt: 'What is 1/3 + 1/6?', answer: '1/2' }, [
    { name: 'correct', text: 'It is \\boxed{0.5}.', expected: ['accepted'] },
    { name: 'incorrect', text: 'It is \\boxed{2/3}.', expected: ['wrong_answer'] },
  ]);
}

export async function judgeCode(): Promise<Outcome> {
  const { codeDomain } = await import('@cipo/verifier/code');
  const program = (body: string) => `function f(x) {\n  ${body}\n}`;
  const row = {
    language: 'javascript',
    tests: { type: 'call', entry: 'f', cases: [{ args: [3], expected: 6 }] },
    limits: { cpuMs: 500 },
  };
  return judge(codeDomain({ workers: 1 }), row, [
    { name: 'correct', text: program('return x * 2;'), expected: ['accepted'] },
    { name: 'incorrect', text: program('return x + 2;'), expected: ['wrong_answer'] },
    { name: 'endless', text: program('for (;;) {}'), expected: ['time_limit'] },
    {
      name: 'escape',
      text: program('return process.kill(process.ppid);'),
      expected: ['runtime_error', 'sandbox_violation'],
    },
  ]);
}

async function judge<R>(
  domain: Domain<R>,
  row: unknown,
  responses: readonly KnownResponse[],
): Promise<Outcome> {
  try {
    const task = domain.parse(row);
    const results: Result[] = [];
    for (const response of responses) {
      const verdict = await domain.verify(task, { text: response.text, stop: 'end' });
      const got =
        verdict.kind === 'judged' ? verdict.status : `void (${verdict.fault}: ${verdict.detail})`;
      results.push({ response, got });
    }
    const failures = results.filter(({ response, got }) => !response.expected.includes(got));
    const found = results.map(({ response, got }) => `${response.name}: ${got}`).join(', ');
    return failures.length === 0
      ? { ok: true, detail: found }
      : { ok: false, detail: describeFailures(failures) };
  } finally {
    await domain.close?.();
  }
}

interface Result {
  readonly response: KnownResponse;
  readonly got: string;
}

/** Groups responses with the same result: a sandbox that does not start gives it for all of them. */
function describeFailures(failures: readonly Result[]): string {
  return Object.entries(Object.groupBy(failures, ({ got }) => got))
    .map(([got, group = []]) => {
      const expected = group.map(({ response: r }) => `${r.name}: ${r.expected.join(' or ')}`);
      return `expected ${expected.join(', ')}; got ${preview(got, MAX_DETAIL_CHARS)}`;
    })
    .join('. ');
}
