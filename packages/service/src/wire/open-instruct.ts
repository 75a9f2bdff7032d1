/**
 * open-instruct's code server (`--code_api_url .../test_program`). Request: a program and its tests. Reply: 1 or 0 and
 * seconds for each test. The client scores every refusal as 0 and does not retry, so the server retries for as long as the
 * client waits. Protocol: `open_instruct/code_utils/api.py` and `CodeVerifier` of `ground_truth_utils.py`.
 */
import type { UnknownRecord } from '@cipo/support';
import type { Route, RouteContext, RouteRequest } from '../http/route.ts';
import type { RowVerdict } from '../judge.ts';
import { isAbsent, readList, readObject, readPositive, readText } from './fields.ts';
import { parseJsonField } from './json.ts';
import { readPickledTests } from './pickle.ts';
import { verifyWithRetries } from './retry.ts';
import { notJudged } from './verdicts.ts';

/** The client waits 30 s, or ten times the time limit of a test if that is more. */
const RETRY_MS = 25_000;
const MAX_TEST_S = 60;

/** Converts one test of a request to the `tests` of a row. */
type ReadTest = (test: unknown, field: string) => UnknownRecord;

function readAssertion(test: unknown, field: string): UnknownRecord {
  return { type: 'assert', code: readText(test, field) };
}

function readStdio(test: unknown, field: string): UnknownRecord {
  const { input, output } = readObject(test, field);
  const one = {
    input: readText(input, `${field}.input`),
    output: readText(output, `${field}.output`),
  };
  return { type: 'stdio', cases: [one], tolerance: { relative: 0, absolute: 0 } };
}

/** One argument as JSON per line, and the result as JSON. The row reader parses both. */
function readCall(test: unknown, field: string): UnknownRecord {
  const { input, output, fn_name } = readObject(test, field);
  return {
    inputs: [readText(input, `${field}.input`)],
    outputs: [readText(output, `${field}.output`)],
    fn_name: readText(fn_name, `${field}.fn_name`),
  };
}

const SCHEMA = {
  type: 'object',
  required: ['program', 'tests'],
  properties: {
    program: { type: 'string', description: 'Python source' },
    tests: {
      description:
        'A list, its JSON text, or the compressed text of open-instruct. Each test is an assertion, `{"input", "output"}` or `{"input", "output", "fn_name"}`, depending on the path',
    },
    max_execution_time: {
      type: 'number',
      description: `CPU seconds per test, at most ${MAX_TEST_S}. Default: 1`,
    },
  },
};

export const OPEN_INSTRUCT_ROUTES: readonly Route[] = [
  testRoute('openInstructAsserts', '/test_program', 'assertions', readAssertion),
  testRoute(
    'openInstructStdio',
    '/test_program_stdio',
    'standard input and output, compared token by token',
    readStdio,
  ),
  testRoute(
    'openInstructCalls',
    '/test_program_functional',
    'function calls in the form of LiveCodeBench',
    readCall,
  ),
  {
    method: 'GET',
    path: '/health',
    isPublic: true,
    describe: {
      operationId: 'openInstructHealth',
      summary: "open-instruct's health check",
      responses: { 200: { description: 'The process is running' } },
    },
    handle: async () => ({ body: { status: 'healthy' } }),
  },
];

function testRoute(operationId: string, path: string, kind: string, readTest: ReadTest): Route {
  return {
    method: 'POST',
    path,
    waitsWhenBusy: true,
    describe: {
      operationId,
      summary: `open-instruct's code tests: ${kind}`,
      requestBody: { required: true, content: { 'application/json': { schema: SCHEMA } } },
      responses: {
        200: {
          description:
            '`results`: 1 or 0 for each test. `runtimes`: seconds, or -1 for a failed test',
        },
      },
    },
    handle: async (request, context) => ({ body: await runTests(request, context, readTest) }),
  };
}

async function runTests(
  { body, signal }: RouteRequest,
  { verify }: RouteContext,
  readTest: ReadTest,
): Promise<unknown> {
  const rows = readRows(readObject(body, 'body'), readTest);
  const verdicts = await verifyWithRetries(rows, verify, RETRY_MS, signal);
  verdicts.forEach((verdict, i) => {
    if (verdict.reward === null) throw notJudged(verdict, `tests.${i}`);
  });
  return { results: verdicts.map(({ reward }) => reward), runtimes: verdicts.map(runtimeSeconds) };
}

function runtimeSeconds({ passed, cpuMs }: RowVerdict): number {
  return passed ? cpuMs / 1000 : -1;
}

/** One row per test: each test is reported, and each has the whole time limit to itself. */
function readRows(fields: UnknownRecord, readTest: ReadTest): readonly UnknownRecord[] {
  const response = readText(fields.program, 'program');
  const { max_execution_time = 1 } = fields;
  const timeS = Math.min(MAX_TEST_S, readPositive(max_execution_time, 'max_execution_time'));
  const common = {
    domain: 'code',
    language: 'python',
    verbatim: true,
    response,
    limits: { cpuMs: Math.ceil(timeS * 1000) },
  };
  return readTests(fields.tests).map((test, i) => ({
    ...common,
    tests: readTest(test, `tests.${i}`),
  }));
}

function readTests(value: unknown): readonly unknown[] {
  if (isAbsent(value) || value === '') return [];
  if (typeof value !== 'string') return readList(value, 'tests');
  return readList(parseJsonField(value, 'tests') ?? readPickledTests(value), 'tests');
}
