/**
 * Has both domains judge answers whose verdicts are known: a right one, a wrong one, and for code a program
 * that never ends and one that tries to end our process. Real sandboxes, nothing pretended.
 */
import { type Domain, preview } from '@cipo/verifier/types';

const MOST_CHARACTERS = 400;

export interface Outcome {
  readonly ok: boolean;
  readonly detail: string;
}

/** An answer and the status it must get. */
interface Probe {
  readonly name: string;
  readonly answer: string;
  readonly expected: readonly string[];
}

export async function judgeMath(): Promise<Outcome> {
  const { mathDomain } = await import('@cipo/verifier/math');
  return judge(mathDomain(), { prompt: 'What is 1/3 + 1/6?', answer: '1/2' }, [
    { name: 'right', answer: 'It is \\boxed{0.5}.', expected: ['accepted'] },
    { name: 'wrong', answer: 'It is \\boxed{2/3}.', expected: ['wrong_answer'] },
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
    { name: 'right', answer: program('return x * 2;'), expected: ['accepted'] },
    { name: 'wrong', answer: program('return x + 2;'), expected: ['wrong_answer'] },
    { name: 'endless', answer: program('for (;;) {}'), expected: ['time_limit'] },
    {
      name: 'escape',
      answer: program('return process.kill(process.ppid);'),
      expected: ['runtime_error', 'sandbox_violation'],
    },
  ]);
}

async function judge<R>(
  domain: Domain<R>,
  row: unknown,
  probes: readonly Probe[],
): Promise<Outcome> {
  try {
    const task = domain.parse(row);
    const seen: { probe: Probe; got: string }[] = [];
    for (const probe of probes) {
      const verdict = await domain.verify(task, { text: probe.answer, stop: 'end' });
      const got =
        verdict.kind === 'judged'
          ? verdict.status
          : `no judgement (${verdict.fault}: ${verdict.detail})`;
      seen.push({ probe, got });
    }
    const off = seen.filter(({ probe, got }) => !probe.expected.includes(got));
    return off.length === 0
      ? { ok: true, detail: seen.map(({ probe, got }) => `${probe.name}: ${got}`).join(', ') }
      : { ok: false, detail: complaints(off) };
  } finally {
    await domain.close?.();
  }
}

/** A sandbox that does not start says the same of every probe: once is enough. */
function complaints(off: readonly { readonly probe: Probe; readonly got: string }[]): string {
  return Object.entries(Object.groupBy(off, ({ got }) => got))
    .map(([got, group = []]) => {
      const wanted = group.map(({ probe }) => `${probe.name}: ${probe.expected.join(' or ')}`);
      return `wanted ${wanted.join(', ')}; got ${preview(got, MOST_CHARACTERS)}`;
    })
    .join('. ');
}
