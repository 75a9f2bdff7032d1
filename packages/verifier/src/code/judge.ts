/**
 * From what a run brought to a verdict: compares, names the status, and says what was found. Pure.
 */
import type { Usage } from '../cells/index.ts';
import type { Finding } from '../codes.ts';
import { type Judged, judged, type Status } from '../types.ts';
import { DEFAULT_TOLERANCE, firstDifference } from './compare.ts';
import type { CodeRequest } from './desk.ts';
import { type Failure, findingOf, loadFinding } from './findings.ts';
import type { CodeRun, TestRun, Trouble } from './job.ts';
import { outputDifference } from './output.ts';
import { readWire, showWire } from './value.ts';

/** Diagnostics of one verdict; the rest is only counted. */
const MAX_FINDINGS = 20;

const STATUS: Record<Trouble['kind'], Status> = {
  syntax: 'compile_error',
  threw: 'runtime_error',
  violation: 'sandbox_violation',
  missing: 'missing_entry',
  open: 'unresolved_promise',
  output: 'output_limit',
  exit: 'runtime_error',
  time: 'time_limit',
  memory: 'memory_limit',
  starved: 'crashed',
  crashed: 'crashed',
  'broken-tests': 'crashed', // never judged: void before it gets here
};

export function judgeRun(request: CodeRequest, run: CodeRun, usage: Usage): Judged {
  const time = { cpuMs: round(run.cpuMs), wallMs: round(usage.wallMs) };
  if (run.load) {
    return judged(STATUS[run.load.kind], loadFinding(request, run.load), time);
  }
  const failures = failuresOf(request, run.tests);
  const [first] = failures;
  if (!first) return judged('accepted', [], time);
  const shown = request.reference.stopAtFirst ? [first] : failures.slice(0, MAX_FINDINGS);
  const findings = shown.flatMap((failure) => findingOf(request, failure));
  const all = [...withoutRepeats(findings), ...summary(request, run, failures)];
  return judged(statusOf(first), all, time);
}

/** Many hidden tests fail alike: what they say to the policy is said once. */
function withoutRepeats(findings: readonly Finding<'code'>[]): Finding<'code'>[] {
  const said = new Set<string>();
  return findings.filter((finding) => {
    if (finding.audience !== 'policy' || finding.details) return true;
    const text = JSON.stringify(finding);
    return !said.has(text) && said.add(text);
  });
}

function statusOf(failure: Failure): Status {
  return failure.difference ? 'wrong_answer' : STATUS[(failure.run as Trouble).kind];
}

/** Every test that did not pass, in order. A test that was never reached is not among them. */
function failuresOf(request: CodeRequest, runs: readonly TestRun[]): Failure[] {
  const failures: Failure[] = [];
  runs.forEach((run, index) => {
    const failure = failureOf(request, run, index);
    if (failure) failures.push(failure);
  });
  const missing = testCount(request) > runs.length && failures.length === 0;
  if (missing) failures.push({ index: runs.length, run: { kind: 'crashed' } });
  return failures;
}

function failureOf(request: CodeRequest, run: TestRun, index: number): Failure | undefined {
  const { tests, language } = request.reference;
  if (run.kind === 'value' && tests.type === 'call') {
    const { expected, alternatives = [] } = tests.cases[index]!;
    const actual = readWire(run.wire);
    if (actual === undefined) return { index, run: { kind: 'output' } };
    const rules = {
      tolerance: tests.tolerance ?? DEFAULT_TOLERANCE,
      oneNumberType: language === 'python',
    };
    if (alternatives.some((other) => firstDifference(other, actual, rules) === undefined)) return;
    const difference = firstDifference(expected, actual, rules);
    return difference && { index, run, difference, actual: showWire(actual) };
  }
  if (run.kind === 'printed' && tests.type === 'stdio') {
    const difference = outputDifference(tests.cases[index]!.output, run.text, tests);
    return difference && { index, run, difference, actual: run.text };
  }
  if (run.kind === 'rejected') {
    const difference = { path: '', expected: run.message, actual: run.text.slice(0, 120) };
    return { index, run, difference, actual: run.text };
  }
  // Only tests of these two kinds can say of themselves that they passed.
  const own = tests.type === 'assert' || (tests.type === 'stdio' && tests.checker !== undefined);
  if (run.kind === 'passed' && own) return undefined;
  return { index, run: isTrouble(run) ? run : FORGED };
}

/** A result of another kind of test than the one that was asked for. */
const FORGED: Trouble = {
  kind: 'violation',
  name: 'SandboxError',
  message: 'the result is not of the kind that was asked for',
};

function isTrouble(run: TestRun): run is Trouble {
  return run.kind in STATUS;
}

export function testCount({ reference: { tests } }: CodeRequest): number {
  return tests.type === 'assert' ? 1 : tests.cases.length;
}

/** `passed` counts tests that were run and passed: one that was never reached is not among them. */
function summary(
  request: CodeRequest,
  run: CodeRun,
  failures: readonly Failure[],
): Finding<'code'>[] {
  const total = testCount(request);
  if (total === 1) return [];
  const failed = failures.filter(({ index }) => index < run.tests.length).length;
  const passed = run.tests.length - failed;
  const message = `${failures.length} of ${total} tests failed`;
  return [
    {
      code: 'tests-failed',
      audience: 'operator',
      message,
      details: { failed: failures.length, passed, total, first: failures[0]!.index },
    },
  ];
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
