/**
 * Verifies tasks that have many correct outputs: a program of the task, the checker, judges each output. It runs in a
 * sandbox like any attempt. `check(input, output, expected)` returns true, false, or a text that says what is wrong.
 */
import { type Verdict, voided } from '../types.ts';
import type { Language, RunLimits, TestRun } from './job.ts';
import { judgeRun } from './judge.ts';
import type { CodeReference, CodeTests } from './reference.ts';
import type { CodeRequest, RawRun } from './request.ts';
import { readWire } from './value.ts';

type StdioTests = Extract<CodeTests, { type: 'stdio' }>;

/** Runs a request in the pool of its language, without judging it. */
type RunUnjudged = (language: Language, request: CodeRequest) => Promise<RawRun | Verdict>;

const CHECKER_LIMITS: Partial<RunLimits> = { cpuMs: 10_000, outputChars: 1 << 22 };

/** The checker of a task, if a program judges its outputs. */
export function checkerOf({ tests }: CodeReference): StdioTests['checker'] {
  return tests.type === 'stdio' ? tests.checker : undefined;
}

/**
 * Runs the attempt, then the checker over what it printed. A checker that fails makes the verdict void, with one
 * exception: if it fails on the output of the attempt and accepts the task's own output, the attempt is incorrect.
 * Otherwise an attempt could escape its verdict by printing what the checker cannot read.
 */
export async function verifyWithChecker(
  request: CodeRequest,
  limitsOf: (language: Language, own: Partial<RunLimits>) => RunLimits,
  run: RunUnjudged,
): Promise<Verdict> {
  const attempt = await run(request.reference.language, { ...request, raw: true });
  if (attempt.kind !== 'raw') return attempt;
  const printed = attempt.run.tests.flatMap((test, index) =>
    test.kind === 'printed' ? [{ index, text: test.text }] : [],
  );
  if (attempt.run.load || printed.length === 0) {
    return judgeRun(request, attempt.run, attempt.usage);
  }
  const tests = request.reference.tests as StdioTests;
  const opinions = await collectOpinions(tests, printed, async (outputs) => {
    const check = checkerRequest(tests, outputs, limitsOf);
    const reply = await run(check.reference.language, check);
    if (reply.kind === 'void') return reply;
    return reply.kind === 'judged' || reply.run.load
      ? voidChecker('it does not run')
      : reply.run.tests;
  });
  if ('kind' in opinions) return opinions;
  const runs = [...attempt.run.tests];
  for (const [i, { index, text }] of printed.entries()) {
    const message = opinions[i]!;
    runs[index] = message === true ? { kind: 'passed' } : { kind: 'rejected', message, text };
  }
  return judgeRun(request, { ...attempt.run, tests: runs }, attempt.usage);
}

/** What was printed for one of the tests. */
interface Printed {
  readonly index: number;
  readonly text: string;
}

/** The opinion on each output: `true`, or what is wrong with it. If the checker fails, the void verdict. */
async function collectOpinions(
  tests: StdioTests,
  printed: readonly Printed[],
  check: (outputs: readonly Printed[]) => Promise<readonly TestRun[] | Verdict>,
): Promise<readonly (true | string)[] | Verdict> {
  const replies = await check(printed);
  if ('kind' in replies) return replies;
  const opinions = printed.map((_, i) => opinionOf(replies[i]));
  const unread = printed.filter((_, i) => opinions[i] === undefined);
  if (unread.length > 0) {
    const expected = unread.map(({ index }) => ({ index, text: tests.cases[index]!.output }));
    const control = await check(expected);
    if ('kind' in control) return control;
    const threw = printed.filter((_, i) => replies[i]?.kind === 'threw');
    const works = expected.every((_, i) => opinionOf(control[i]) === true);
    if (!works || threw.length < unread.length) {
      return voidChecker('it returned neither true, false nor a text');
    }
  }
  return opinions.map((opinion) => opinion ?? 'an output that the checker can read');
}

function voidChecker(problem: string): Verdict {
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
    program: { source: code, codeStart: 1, codeLines: 0, submittedStart: 1 },
    limits,
    raw: true,
  };
}

/** `true`, or what is wrong. Undefined if the checker did not return one of the three. */
function opinionOf(run: TestRun | undefined): true | string | undefined {
  const value = run?.kind === 'value' ? readWire(run.wire) : undefined;
  if (value === true) return true;
  if (value === false) return 'an output that the checker accepts';
  return typeof value === 'string' ? value.slice(0, 300) : undefined;
}
