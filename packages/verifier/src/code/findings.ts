/**
 * Diagnostics of code verdicts: stable codes, typed details, capped texts, and two audiences. What a
 * hidden test fed in, wanted or got never reaches the policy, not even through an error's message,
 * which an answer could fill with its arguments.
 */
import type { Finding } from '../codes.ts';
import type { Difference } from './compare.ts';
import type { CodeRequest } from './desk.ts';
import { submittedPlace } from './extract.ts';
import type { TestRun, Trouble } from './job.ts';
import { testCount } from './judge.ts';
import { showWire } from './value.ts';

/** One test that did not pass: with a difference when it came to an end, else with trouble. */
export interface Failure {
  readonly index: number;
  readonly run: TestRun;
  readonly difference?: Difference;
  readonly actual?: string;
}

const TEXT_CAP = 300;

const CODE: Record<Trouble['kind'], Finding<'code'>['code']> = {
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

/** The program did not come up: the answer's own doing, before it saw any test. */
export function loadFinding(request: CodeRequest, trouble: Trouble): Finding<'code'>[] {
  const { tests } = request.reference;
  const sawTests = tests.type === 'stdio' || tests.type === 'assert';
  const finding = troubleFinding(request, trouble, {});
  return sawTests && trouble.kind !== 'syntax' ? veiled(finding, isVisible(request, 0)) : [finding];
}

export function findingOf(request: CodeRequest, failure: Failure): Finding<'code'>[] {
  const { index, run, difference, actual } = failure;
  const facts = { test: index, tests: testCount(request), ...inputOf(request, index) };
  const finding = difference
    ? differenceFinding(request, difference, { ...facts, actual: cap(actual ?? '') })
    : troubleFinding(request, run as Trouble, facts);
  return veiled(finding, isVisible(request, index));
}

/** A hidden test's finding stays with the operator; the policy learns that there was one. */
function veiled(finding: Finding<'code'>, visible: boolean): Finding<'code'>[] {
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

const STANDARD_ERRORS = new Set(
  `Error TypeError RangeError ReferenceError SyntaxError EvalError URIError AssertionError
   ValueError IndexError KeyError NameError AttributeError ZeroDivisionError RecursionError
   UnboundLocalError ImportError ModuleNotFoundError EOFError OverflowError StopIteration
   MemoryError NotImplementedError UnicodeError IndentationError`.split(/\s+/),
);

const WORDS: Record<string, string> = {
  'wrong-answer': 'a wrong answer',
  'runtime-error': 'an error',
  'time-limit': 'the time limit was hit',
  'memory-limit': 'the memory limit was hit',
  'output-limit': 'the output limit was hit',
  'unresolved-promise': 'a promise was never settled',
  'early-exit': 'the program ended itself early',
  'sandbox-violation': 'something forbidden was tried',
  'missing-entry': 'the entry point is missing',
  crashed: 'the sandbox went down',
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
    message: cap(`${where}expected ${expected}, got ${actual}`),
    details: { ...facts, expected: cap(expectedOf(request, facts.test as number)), difference },
  };
}

function troubleFinding(
  request: CodeRequest,
  trouble: Trouble,
  facts: Readonly<Record<string, unknown>>,
): Finding<'code'> {
  const place = 'line' in trouble ? submittedPlace(request.program, trouble) : undefined;
  return {
    code: CODE[trouble.kind],
    audience: 'policy',
    message: cap(troubleText(request, trouble)),
    ...(place ? { at: place } : {}),
    details: { ...facts, ...troubleDetails(request, trouble) },
  };
}

function troubleText({ reference, limits }: CodeRequest, trouble: Trouble): string {
  switch (trouble.kind) {
    case 'syntax':
      return `the program does not compile: ${trouble.message}`;
    case 'threw':
    case 'violation':
      return `${trouble.name}: ${trouble.message}`;
    case 'missing':
      return `no function named ${reference.tests.type === 'call' ? reference.tests.entry : ''}`;
    case 'time':
      return `used more than ${limits.testCpuMs} ms of CPU time`;
    case 'memory':
      return `used more than ${limits.memoryMb} MB of memory`;
    case 'output':
      return `printed or returned more than ${limits.outputBytes} bytes`;
    default:
      return WORDS[CODE[trouble.kind]] ?? trouble.kind;
  }
}

function troubleDetails({ limits }: CodeRequest, trouble: Trouble): Record<string, unknown> {
  switch (trouble.kind) {
    case 'threw':
    case 'violation':
      return { error: cap(trouble.name), text: cap(trouble.message) };
    case 'time':
      return { limit: 'cpuMs', limitMs: limits.testCpuMs };
    case 'memory':
      return { limit: 'memoryMb', limitMb: limits.memoryMb };
    case 'output':
      return { limit: 'outputBytes', limitBytes: limits.outputBytes };
    default:
      return {};
  }
}

function isVisible({ reference: { tests } }: CodeRequest, index: number): boolean {
  if (tests.type === 'assert') return tests.visible;
  return tests.cases[index]?.visible ?? false;
}

function inputOf({ reference: { tests } }: CodeRequest, index: number): { input?: string } {
  if (tests.type === 'call') return { input: cap(tests.cases[index]?.args ?? '') };
  if (tests.type === 'stdio') return { input: cap(tests.cases[index]?.input ?? '') };
  return {};
}

function expectedOf({ reference: { tests } }: CodeRequest, index: number): string {
  if (tests.type === 'call') return showWire(tests.cases[index]!.expected);
  return tests.type === 'stdio' ? tests.cases[index]!.output : '';
}

function cap(text: string): string {
  return text.length > TEXT_CAP ? `${text.slice(0, TEXT_CAP - 1)}…` : text;
}
