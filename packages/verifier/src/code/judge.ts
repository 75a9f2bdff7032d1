/** Turns a run into a verdict: compares outputs, chooses the status and collects the diagnostics. Pure. */
import { uniqueBy } from '@cipo/support';
import type { Usage } from '../cells/types.ts';
import type { Finding } from '../codes.ts';
import { type Judged, judged, type Status } from '../types.ts';
import { DEFAULT_TOLERANCE, firstDifference } from './compare.ts';
import { type Failure, failureFindings, loadFindings } from './findings.ts';
import type { AbnormalEnd, CodeRun, TestRun } from './job.ts';
import { outputDifference } from './output.ts';
import { testCount } from './reference.ts';
import type { CodeRequest } from './request.ts';
import { readWire, showWire } from './value.ts';

/** Failed tests that a verdict reports one by one. The summary counts the others. */
const MAX_FINDINGS = 20;

const STATUS: Record<AbnormalEnd['kind'], Status> = {
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
  'broken-tests': 'crashed', // unused: adapter.ts makes such a verdict void
};

/** Judges one run of an attempt. */
export function judgeRun(request: CodeRequest, run: CodeRun, usage: Usage): Judged {
  const time = { cpuMs: roundMs(run.cpuMs), wallMs: roundMs(usage.wallMs) };
  if (run.load) {
    return judged(STATUS[run.load.kind], loadFindings(request, run.load), time);
  }
  const failures = failuresOf(request, run.tests);
  const [first] = failures;
  if (!first) return judged('accepted', [], time);
  const shown = request.reference.stopAtFirst ? [first] : failures.slice(0, MAX_FINDINGS);
  const findings = shown.flatMap((failure) => failureFindings(request, failure));
  const all = [...dropRepeats(findings), ...summary(request, run, failures)];
  return judged(statusOf(first), all, time);
}

/** Many hidden tests fail in the same way: the policy reads the same sentence only once. */
function dropRepeats(findings: readonly Finding<'code'>[]): Finding<'code'>[] {
  return uniqueBy(findings, (finding) => {
    const isGeneral = finding.audience === 'policy' && finding.details === undefined;
    return isGeneral ? JSON.stringify(finding) : finding;
  });
}

function statusOf(failure: Failure): Status {
  return failure.difference ? 'wrong_answer' : STATUS[(failure.run as AbnormalEnd).kind];
}

/** Every test that failed, in order, without tests that were never reached. */
function failuresOf(request: CodeRequest, runs: readonly TestRun[]): Failure[] {
  const failures: Failure[] = [];
  runs.forEach((run, index) => {
    const failure = failureOf(request, run, index);
    if (failure) failures.push(failure);
  });
  const isIncomplete = testCount(request.reference) > runs.length && failures.length === 0;
  if (isIncomplete) failures.push({ index: runs.length, run: { kind: 'crashed' } });
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
  // Only an assert program and a checker judge by themselves.
  const judgesItself =
    tests.type === 'assert' || (tests.type === 'stdio' && tests.checker !== undefined);
  if (run.kind === 'passed' && judgesItself) return undefined;
  return { index, run: isAbnormalEnd(run) ? run : FORGED };
}

/** For a result that belongs to another kind of test: the cell has been taken over. */
const FORGED: AbnormalEnd = {
  kind: 'violation',
  name: 'SandboxError',
  message: 'the result is of another kind than the test',
};

function isAbnormalEnd(run: TestRun): run is AbnormalEnd {
  return run.kind in STATUS;
}

/** The counts of a verdict. `passed` leaves out tests that were never reached. */
function summary(
  request: CodeRequest,
  run: CodeRun,
  failures: readonly Failure[],
): Finding<'code'>[] {
  const total = testCount(request.reference);
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

function roundMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}
