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

/**
 * The attempt first, then the checker over what it printed. A checker that fails voids the task, but for one that fails
 * on an answer's output and accepts the task's own: nobody escapes a verdict by printing what a checker cannot read.
 */
export async function verifyWithChecker(
  request: CodeRequest,
  limitsOf: (language: Language, own: Partial<RunLimits>) => RunLimits,
  run: RunRaw,
): Promise<Verdict> {
  const answer = await run(request.reference.language, { ...request, raw: true });
  if (answer.kind !== 'raw') return answer;
  const printed = answer.run.tests.flatMap((test, index) =>
    test.kind === 'printed' ? [{ index, text: test.text }] : [],
  );
  if (answer.run.load || printed.length === 0) return judgeRun(request, answer.run, answer.usage);
  const tests = request.reference.tests as StdioTests;
  const opinions = await opinionsOn(tests, printed, async (outputs) => {
    const question = checkerRequest(tests, outputs, limitsOf);
    const reply = await run(question.reference.language, question);
    if (reply.kind === 'void') return reply;
    return reply.kind === 'judged' || reply.run.load ? broken('it does not run') : reply.run.tests;
  });
  if ('kind' in opinions) return opinions;
  const runs = [...answer.run.tests];
  for (const [i, { index, text }] of printed.entries()) {
    const message = opinions[i]!;
    runs[index] = message === true ? { kind: 'passed' } : { kind: 'rejected', message, text };
  }
  return judgeRun(request, { ...answer.run, tests: runs }, answer.usage);
}

/** What was printed for one of the tests. */
interface Printed {
  readonly index: number;
  readonly text: string;
}

/** `true`, or why not, of each output; the verdict of a task whose checker fails. */
async function opinionsOn(
  tests: StdioTests,
  printed: readonly Printed[],
  ask: (outputs: readonly Printed[]) => Promise<readonly TestRun[] | Verdict>,
): Promise<readonly (true | string)[] | Verdict> {
  const replies = await ask(printed);
  if ('kind' in replies) return replies;
  const opinions = printed.map((_, i) => opinionOf(replies[i]));
  const unread = printed.filter((_, i) => opinions[i] === undefined);
  if (unread.length > 0) {
    const own = unread.map(({ index }) => ({ index, text: tests.cases[index]!.output }));
    const control = await ask(own);
    if ('kind' in control) return control;
    const threw = printed.filter((_, i) => replies[i]?.kind === 'threw');
    const works = own.every((_, i) => opinionOf(control[i]) === true);
    if (!works || threw.length < unread.length) {
      return broken('it answered neither true, false nor a text');
    }
  }
  return opinions.map((opinion) => opinion ?? 'an output that the checker can read');
}

function broken(problem: string): Verdict {
  return voided('bad-task', `the task's checker: ${problem}`);
}

function checkerRequest(
  tests: StdioTests,
  outputs: readonly Printed[],
  limitsOf: (language: Language, own: Partial<RunLimits>) => RunLimits,
): CodeRequest {
  const { language, code } = tests.checker!;
  const cases = outputs.map(({ index, text }) => {
    const { input, output } = tests.cases[index]!;
    return { args: JSON.stringify([input, text, output]), expected: true, visible: false };
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
function opinionOf(run: TestRun | undefined): true | string | undefined {
  const value = run?.kind === 'value' ? readWire(run.wire) : undefined;
  if (value === true) return true;
  if (value === false) return 'an output that the checker accepts';
  return typeof value === 'string' ? value.slice(0, 300) : undefined;
}
