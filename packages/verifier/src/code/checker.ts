/**
 * Tests whose output a program judges, because many are right. The checker is the task's own code, but
 * it runs in a sandbox like any answer: `check(input, output, expected)` answers true, or false, or a
 * text that says what is wrong.
 */
import { type Verdict, voided } from '../types.ts';
import type { CodeRequest, RawRun } from './desk.ts';
import type { Language, RunLimits, TestRun } from './job.ts';
import { judgeRun } from './judge.ts';
import type { CodeReference, CodeTests } from './reference.ts';
import { readWire } from './value.ts';

type StdioTests = Extract<CodeTests, { type: 'stdio' }>;

/** Runs a request in the pool of its language, without judging it. */
export type RunRaw = (language: Language, request: CodeRequest) => Promise<RawRun | Verdict>;

const CHECKER_LIMITS: Partial<RunLimits> = { cpuMs: 10_000, outputBytes: 1 << 22 };

/** Does this task have its outputs judged by a program? */
export function checkerOf({ tests }: CodeReference): StdioTests['checker'] {
  return tests.type === 'stdio' ? tests.checker : undefined;
}

/** The attempt first, then the checker over what it printed. A checker that fails voids the task. */
export async function verifyWithChecker(
  request: CodeRequest,
  limitsOf: (language: Language, own: Partial<RunLimits>) => RunLimits,
  run: RunRaw,
): Promise<Verdict> {
  const answer = await run(request.reference.language, { ...request, raw: true });
  if (answer.kind !== 'raw') return answer;
  const printed = answer.run.tests.filter((test) => test.kind === 'printed');
  if (answer.run.load || printed.length === 0) return judgeRun(request, answer.run, answer.usage);
  const question = checkerRequest(request, answer.run.tests, limitsOf);
  const reply = await run(question.reference.language, question);
  if (reply.kind === 'void') return reply;
  if (reply.kind === 'judged' || reply.run.load) return broken('it does not run');
  const opinions = reply.run.tests.map(opinionOf);
  if (opinions.length < printed.length || opinions.includes(undefined)) {
    return broken('it answered neither true, false nor a text');
  }
  let next = 0;
  const tests = answer.run.tests.map((test): TestRun => {
    if (test.kind !== 'printed') return test;
    const opinion = opinions[next++];
    return opinion === true
      ? { kind: 'passed' }
      : { kind: 'rejected', message: String(opinion), text: test.text };
  });
  return judgeRun(request, { ...answer.run, tests }, answer.usage);
}

function broken(problem: string): Verdict {
  return voided('bad-task', `the task's checker: ${problem}`);
}

function checkerRequest(
  request: CodeRequest,
  runs: readonly TestRun[],
  limitsOf: (language: Language, own: Partial<RunLimits>) => RunLimits,
): CodeRequest {
  const tests = request.reference.tests as StdioTests;
  const { language, code } = tests.checker!;
  const cases = runs.flatMap((run, i) => {
    if (run.kind !== 'printed') return [];
    const { input, output } = tests.cases[i]!;
    return [{ args: JSON.stringify([input, run.text, output]), expected: true, visible: false }];
  });
  const limits = limitsOf(language, CHECKER_LIMITS);
  return {
    reference: {
      language,
      prefix: '',
      setup: { before: '', after: '' },
      tests: { type: 'call', entry: 'check', cases },
      limits,
      stopAtFirst: false,
    },
    program: { source: code, answerStart: 1, answerLines: 0, submittedStart: 1 },
    limits,
    raw: true,
  };
}

/** `true`, or why not. */
function opinionOf(run: TestRun): true | string | undefined {
  const value = run.kind === 'value' ? readWire(run.wire) : undefined;
  if (value === true) return true;
  if (value === false) return 'an output that the checker accepts';
  return typeof value === 'string' ? value.slice(0, 300) : undefined;
}
