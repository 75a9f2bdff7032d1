/**
 * Makes the diagnostics of code verdicts, for two audiences. The input, expected and actual value of a hidden test
 * never reach the policy, not even in the message of an error: a program could put its arguments there.
 */
import type { Finding } from '../codes.ts';
import type { Difference } from './compare.ts';
import { submittedPlace } from './extract.ts';
import type { AbnormalEnd, TestRun } from './job.ts';
import { testCount } from './reference.ts';
import type { CodeRequest } from './request.ts';
import { showWire } from './value.ts';

/**
 * One test that failed: `difference` is set if it ended normally with a wrong result, else `run` is an abnormal end.
 */
export interface Failure {
  readonly index: number;
  readonly run: TestRun;
  readonly difference?: Difference;
  readonly actual?: string;
}

/** Longest text in a diagnostic, in UTF-16 code units. */
const MAX_TEXT_CHARS = 300;

const CODE: Record<AbnormalEnd['kind'], Finding<'code'>['code']> = {
  syntax: 'compile-error',
  threw: 'runtime-error',
  violation: 'sandbox-violation',
  missing: 'missing-entry',
  open: 'unresolved-promise',
  output: 'output-limit',
  exit: 'early-exit',
  time: 'time-limit',
  memory: 'memory-limit',
  starved: 'starved',
  crashed: 'crashed',
  'broken-tests': 'broken-tests',
};

/** The diagnostics of a program that could not be loaded. */
export function loadFindings(request: CodeRequest, end: AbnormalEnd): Finding<'code'>[] {
  const { tests } = request.reference;
  // While it loads, a program sees the input of a stdio test or the assert program, but no call.
  const sawTests = tests.type === 'stdio' || tests.type === 'assert';
  const finding = endFinding(request, end, {});
  return sawTests && end.kind !== 'syntax'
    ? splitByAudience(finding, isVisible(request, 0))
    : [finding];
}

/** The diagnostics of one failed test. */
export function failureFindings(request: CodeRequest, failure: Failure): Finding<'code'>[] {
  const { index, run, difference, actual } = failure;
  const facts = { test: index, tests: testCount(request.reference), ...inputOf(request, index) };
  const finding = difference
    ? differenceFinding(request, difference, { ...facts, actual: truncate(actual ?? '') })
    : endFinding(request, run as AbnormalEnd, facts);
  return splitByAudience(finding, isVisible(request, index));
}

/** The diagnostic of a hidden test is for the operator only. The policy gets one without its facts. */
function splitByAudience(finding: Finding<'code'>, visible: boolean): Finding<'code'>[] {
  if (visible) return [{ ...finding, audience: 'policy' }];
  const { code, at } = finding;
  const name = finding.details?.error;
  const known = typeof name === 'string' && STANDARD_ERRORS.has(name) ? ` (${name})` : '';
  const policy: Finding<'code'> = {
    code,
    audience: 'policy',
    message: `${WORDS[code] ?? 'failed'}${known} in a hidden test`,
    ...(at ? { at } : {}),
  };
  return [{ ...finding, audience: 'operator' }, policy];
}

/** Names of errors that the policy may read: others could carry the arguments of a hidden test. */
const STANDARD_ERRORS = new Set(
  `Error TypeError RangeError ReferenceError SyntaxError EvalError URIError AssertionError
   ValueError IndexError KeyError NameError AttributeError ZeroDivisionError RecursionError
   UnboundLocalError ImportError ModuleNotFoundError EOFError OverflowError StopIteration
   MemoryError NotImplementedError UnicodeError IndentationError`.split(/\s+/),
);

/** What the policy reads about a hidden test. */
const WORDS: Record<string, string> = {
  'wrong-answer': 'a wrong answer',
  'runtime-error': 'an error',
  'time-limit': 'the time limit was exceeded',
  'memory-limit': 'the memory limit was exceeded',
  'output-limit': 'the output limit was exceeded',
  'unresolved-promise': 'a promise that never settled',
  'early-exit': 'the program ended itself before its tests did',
  'sandbox-violation': 'the program tried what the sandbox forbids',
  'missing-entry': 'the entry point is missing',
  crashed: 'the sandbox crashed',
};

function differenceFinding(
  request: CodeRequest,
  difference: Difference,
  facts: Readonly<Record<string, unknown>>,
): Finding<'code'> {
  const { path, expected, actual } = difference;
  const where = path === '' ? '' : `${path}: `;
  return {
    code: 'wrong-answer',
    audience: 'policy',
    message: truncate(`${where}expected ${expected}, got ${actual}`),
    details: {
      ...facts,
      expected: truncate(expectedOf(request, facts.test as number)),
      difference,
    },
  };
}

function endFinding(
  request: CodeRequest,
  end: AbnormalEnd,
  facts: Readonly<Record<string, unknown>>,
): Finding<'code'> {
  const place = 'line' in end ? submittedPlace(request.program, end) : undefined;
  return {
    code: CODE[end.kind],
    audience: 'policy',
    message: truncate(describeEnd(request, end)),
    ...(place ? { at: place } : {}),
    details: { ...facts, ...endDetails(request, end) },
  };
}

function describeEnd({ reference, limits }: CodeRequest, end: AbnormalEnd): string {
  switch (end.kind) {
    case 'syntax':
      return `the program does not compile: ${end.message}`;
    case 'threw':
    case 'violation':
      return `${end.name}: ${end.message}`;
    case 'missing':
      return `no function named ${reference.tests.type === 'call' ? reference.tests.entry : ''}`;
    case 'time':
      return `used more than ${limits.testCpuMs} ms of CPU time`;
    case 'memory':
      return `used more than ${limits.memoryMb} MB of memory`;
    case 'output':
      return `printed or returned more than ${limits.outputChars} characters`;
    default:
      return WORDS[CODE[end.kind]] ?? end.kind;
  }
}

function endDetails({ limits }: CodeRequest, end: AbnormalEnd): Record<string, unknown> {
  switch (end.kind) {
    case 'threw':
    case 'violation':
      return { error: truncate(end.name), text: truncate(end.message) };
    case 'time':
      return { limit: 'cpuMs', limitMs: limits.testCpuMs };
    case 'memory':
      return { limit: 'memoryMb', limitMb: limits.memoryMb };
    case 'output':
      return { limit: 'outputChars', limitChars: limits.outputChars };
    default:
      return {};
  }
}

function isVisible({ reference: { tests } }: CodeRequest, index: number): boolean {
  if (tests.type === 'assert') return tests.visible;
  return tests.cases[index]?.visible ?? false;
}

function inputOf({ reference: { tests } }: CodeRequest, index: number): { input?: string } {
  if (tests.type === 'call') return { input: truncate(tests.cases[index]?.args ?? '') };
  if (tests.type === 'stdio') return { input: truncate(tests.cases[index]?.input ?? '') };
  return {};
}

function expectedOf({ reference: { tests } }: CodeRequest, index: number): string {
  if (tests.type === 'call') return showWire(tests.cases[index]!.expected);
  return tests.type === 'stdio' ? tests.cases[index]!.output : '';
}

function truncate(text: string): string {
  return text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS - 1)}…` : text;
}
