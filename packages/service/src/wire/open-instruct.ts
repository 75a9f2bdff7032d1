/**
 * open-instruct's code server (`--code_api_url .../test_program`): a program and its tests in; 1 or 0 and
 * seconds for each test out. Its client gives score 0 for every refusal and does not ask twice, so that
 * the server asks itself again for as long as the client waits. Protocol: `open_instruct/code_utils/api.py`
 * and `CodeVerifier` of `ground_truth_utils.py`.
 */
import type { Route, RouteContext, RouteRequest } from '../http/route.ts';
import type { RowVerdict } from '../judge.ts';
import { type Fields, isAbsent, list, object, positive, text } from './fields.ts';
import { jsonIn } from './json.ts';
import { verifyPatiently } from './patience.ts';
import { readPickledTests } from './pickle.ts';
import { noJudgement } from './verdicts.ts';

/** The client waits thirty seconds, or ten times the time of a test where that is more. */
const PATIENCE_MS = 25_000;
const LONGEST_TEST_S = 60;

/** One test of a request as the tests of a row. */
type ReadTest = (test: unknown, field: string) => Fields;

const assertion: ReadTest = (test, field) => ({ type: 'assert', code: text(test, field) });

const stdio: ReadTest = (test, field) => {
  const { input, output } = object(test, field);
  const one = { input: text(input, `${field}.input`), output: text(output, `${field}.output`) };
  return { type: 'stdio', cases: [one], tolerance: { relative: 0, absolute: 0 } };
};

/** One argument in JSON a line, and the result in JSON; the row layer reads that. */
const call: ReadTest = (test, field) => {
  const { input, output, fn_name } = object(test, field);
  return {
    inputs: [text(input, `${field}.input`)],
    outputs: [text(output, `${field}.output`)],
    fn_name: text(fn_name, `${field}.fn_name`),
  };
};

const SCHEMA = {
  type: 'object',
  required: ['program', 'tests'],
  properties: {
    program: { type: 'string', description: 'Python' },
    tests: { description: 'A list, its JSON text, or the compressed text of open-instruct' },
    max_execution_time: { type: 'number', description: 'Seconds of CPU time a test. Default: 1' },
  },
};

export const openInstructRoutes: readonly Route[] = [
  testRoute('openInstructAsserts', '/test_program', 'assertions', assertion),
  testRoute(
    'openInstructStdio',
    '/test_program_stdio',
    '`{"input", "output"}`, compared token by token',
    stdio,
  ),
  testRoute(
    'openInstructCalls',
    '/test_program_functional',
    '`{"input", "output", "fn_name"}` of LiveCodeBench',
    call,
  ),
  {
    method: 'GET',
    path: '/health',
    open: true,
    describe: {
      operationId: 'openInstructHealth',
      summary: "open-instruct's health check",
      responses: { 200: { description: 'The process answers' } },
    },
    handle: async () => ({ body: { status: 'healthy' } }),
  },
];

function testRoute(operationId: string, path: string, kind: string, read: ReadTest): Route {
  return {
    method: 'POST',
    path,
    patient: true,
    describe: {
      operationId,
      summary: `open-instruct's code tests: ${kind}`,
      requestBody: { required: true, content: { 'application/json': { schema: SCHEMA } } },
      responses: {
        200: {
          description: '`results`, 1 or 0 a test, and `runtimes` in seconds, -1 where it failed',
        },
      },
    },
    handle: async (request, context) => ({ body: await judge(request, context, read) }),
  };
}

async function judge(
  { body, signal }: RouteRequest,
  { verify }: RouteContext,
  read: ReadTest,
): Promise<unknown> {
  const fields = object(body, 'body');
  const rows = rowsIn(fields, read);
  const verdicts = await verifyPatiently(rows, verify, PATIENCE_MS, signal);
  verdicts.forEach((verdict, i) => {
    if (verdict.reward === null) throw noJudgement(verdict, `tests.${i}`);
  });
  return { results: verdicts.map(({ reward }) => reward), runtimes: verdicts.map(seconds) };
}

function seconds({ passed, cpuMs }: RowVerdict): number {
  return passed ? cpuMs / 1000 : -1;
}

/** A row for each test: every one is reported, and each has the whole time to itself. */
function rowsIn(fields: Fields, read: ReadTest): readonly Fields[] {
  const response = text(fields.program, 'program');
  const { max_execution_time = 1 } = fields;
  const time = Math.min(LONGEST_TEST_S, positive(max_execution_time, 'max_execution_time'));
  const common = {
    domain: 'code',
    language: 'python',
    verbatim: true,
    response,
    limits: { cpuMs: Math.ceil(time * 1000) },
  };
  return testsIn(fields.tests).map((test, i) => ({ ...common, tests: read(test, `tests.${i}`) }));
}

function testsIn(value: unknown): readonly unknown[] {
  if (isAbsent(value) || value === '') return [];
  if (typeof value !== 'string') return list(value, 'tests');
  return list(jsonIn(value, 'tests') ?? readPickledTests(value), 'tests');
}
