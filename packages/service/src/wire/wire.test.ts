/** Tests of the wire formats with requests of real clients and a real judge. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { overloaded, Problem } from '../http/problem.ts';
import type { Route, RouteContext } from '../http/route.ts';
import { createJudge, type RowVerdict } from '../judge.ts';
import { WIRE_ROUTES } from './index.ts';
import { removePrompt, removeSpecialTokens } from './response.ts';
import { callRoute, contextOf, RECORDED, type TestRequest } from './testing.ts';

const judge = await createJudge({ workers: 1 });
afterAll(() => judge.close());
const context = contextOf(judge);

function route(path: string): Route {
  return WIRE_ROUTES.find((one) => one.path === path)!;
}

function post(path: string, body: unknown, request: Partial<TestRequest> = {}, around = context) {
  return callRoute(route(path), { body, ...request }, around);
}

function replay(client: string): Promise<unknown> {
  return post(RECORDED[client]!.path, RECORDED[client]!.body);
}

/** The error with which a route rejects. */
async function errorOf(reply: Promise<unknown>) {
  const problem = await reply.then(
    (body) => body,
    (error: unknown) => error,
  );
  if (!(problem instanceof Problem)) throw new Error(`not an error: ${JSON.stringify(problem)}`);
  const { status, code, field, headers } = problem;
  return { status, code, field, canRetry: 'retry-after' in headers };
}

/** A context in which no row is judged: every row has this status. */
function voidContext(status: RowVerdict['status']): RouteContext {
  const verdict = { id: '', status, passed: null, reward: null, cpuMs: 0, wallMs: 0 } as const;
  return contextOf(judge, {
    verify: async (rows) => rows.map(() => ({ ...verdict, diagnostics: [] })),
    each: async () => {
      throw overloaded('queue-full', 'the queue is full', 3);
    },
  });
}

describe('every wire route', () => {
  test('every wire route has a unique path and operation id', () => {
    const paths = WIRE_ROUTES.map(({ path, method }) => `${method} ${path}`);
    const names = WIRE_ROUTES.map(({ describe }) => describe.operationId);
    expect(new Set(paths).size).toBe(paths.length);
    expect(new Set(names).size).toBe(names.length);
  });

  const posts = WIRE_ROUTES.filter(({ method }) => method === 'POST');
  test.each(posts.map((one) => [one.path, one] as const))(
    '%s replies to any JSON with a result or an error, and never crashes',
    async (_path, one) => {
      const value = fc.jsonValue({ maxDepth: 3 });
      const names = ['query', 'prompts', 'labels', 'response', 'label', 'prompt', 'program'];
      names.push('tests', 'max_execution_time', 'code', 'language', 'stdin', 'files');
      const body = fc.oneof(value, fc.dictionary(fc.constantFrom(...names), value));
      const undecided = voidContext('undecided');
      await fc.assert(
        fc.asyncProperty(body, async (hostile) => {
          const error = await callRoute(one, { body: hostile }, undecided).catch(
            (thrown: unknown) => thrown,
          );
          if (error instanceof Error) expect(error).toBeInstanceOf(Problem);
        }),
        { numRuns: 200 },
      );
    },
  );
});

describe('SandboxFusion', () => {
  const run = (body: object) => post('/run_code', body);

  test.each(['sandbox-fusion 0.3.7: run_code', 'verl 0.9.1: call_sandbox_api'])(
    'the recorded request of %s gets a RunCodeResponse',
    async (client) => {
      const reply = await replay(client);
      expect(reply).toEqual({
        status: 'Success',
        message: '',
        compile_result: null,
        run_result: {
          status: 'Finished',
          execution_time: expect.any(Number),
          cpu_time: expect.any(Number),
          return_code: 0,
          stdout: client.startsWith('verl') ? '4\n' : 'cba\n',
          stderr: '',
        },
        executor_pod_name: null,
        files: {},
      });
    },
  );

  test.each([
    ['python', 'import sys; print("o"); print("e", file=sys.stderr); sys.exit(3)', 3, 'o\n', 'e\n'],
    ['nodejs', 'console.log("o"); console.error("e"); process.exit(3)', 3, 'o\n', 'e\n'],
    ['typescript', 'const n: number = 3; console.log(n); process.exitCode = n', 3, '3\n', ''],
  ])(
    'a failing %s program has status Failed and its exit code',
    async (language, code, rc, out, err) => {
      expect(await run({ language, code })).toMatchObject({
        status: 'Failed',
        run_result: { status: 'Finished', return_code: rc, stdout: out, stderr: err },
      });
    },
  );

  test('a program can read its files, and fetch_files returns them unchanged', async () => {
    const files = { 'data/in.txt': Buffer.from('42').toString('base64'), ignored: null };
    const fetch_files = ['data/in.txt', 'out.txt'];
    const code = 'print(open("data/in.txt").read())';
    expect(await run({ language: 'python', code, files, fetch_files })).toMatchObject({
      status: 'Success',
      run_result: { stdout: '42\n' },
      files: { 'data/in.txt': files['data/in.txt'] },
    });
  });

  test('a program that exceeds its time limit is TimeLimitExceeded without an exit code', async () => {
    const reply = await run({ language: 'python', code: 'while True: pass', run_timeout: 0.3 });
    expect(reply).toMatchObject({
      status: 'Failed',
      run_result: { status: 'TimeLimitExceeded', return_code: null },
    });
  });

  test('a program that exceeds the memory it requested fails, and one within it succeeds', async () => {
    const code = 'x = bytearray(200 << 20)\nprint(len(x))';
    const little = await run({ language: 'python', code, memory_limit_MB: 64 });
    expect(little).toMatchObject({ status: 'Failed', run_result: { return_code: 1 } });
    const much = await run({ language: 'python', code, memory_limit_MB: 1024 });
    expect(much).toMatchObject({ status: 'Success' });
  });

  test.each([
    [{ code: 'x' }, 'language'],
    [{ code: 'x', language: 'cpp' }, 'language'],
    [{ code: 'x', language: 'constructor' }, 'language'],
    [{ language: 'python' }, 'code'],
    [{ code: 'x'.repeat((1 << 20) + 1), language: 'python' }, 'code'],
    [{ code: 'x', language: 'python', stdin: 1 }, 'stdin'],
    [{ code: 'x', language: 'python', run_timeout: -1 }, 'run_timeout'],
    [{ code: 'x', language: 'python', memory_limit_MB: 'a' }, 'memory_limit_MB'],
    [{ code: 'x', language: 'python', files: { '../../etc/passwd': 'eA==' } }, 'files'],
    [{ code: 'x', language: 'python', files: { a: 'not Base64!' } }, 'files'],
    [{ code: 'x', language: 'python', files: { a: 1 } }, 'files'],
    [{ code: 'x', language: 'python', files: [] }, 'files'],
    [{ code: 'x', language: 'python', files: { a: 'A'.repeat((4 << 20) + 1) } }, 'files'],
  ])(
    'the run_code body %j gets a 422 that names the field, as FastAPI does',
    async (body, field) => {
      expect(await errorOf(run(body))).toMatchObject({ status: 422, field });
      const error = await run(body).catch((thrown: unknown) => thrown);
      expect(route('/run_code').problem?.(error as Problem, 'r')).toMatchObject({
        detail: [{ loc: ['body', field], msg: expect.any(String) }],
      });
    },
  );

  test('a sandbox that fails is a 504 without a result', async () => {
    const broken = contextOf({
      ...judge,
      run: async () => ({ kind: 'void', fault: 'infra', detail: 'gone' }),
    });
    const reply = post('/run_code', { language: 'python', code: 'print(1)' }, {}, broken);
    expect(await errorOf(reply)).toMatchObject({ status: 504, canRetry: true });
  });
});

describe('OpenRLHF', () => {
  const rewards = (body: object, request: Partial<TestRequest> = {}, around = context) =>
    post('/get_reward', body, request, around);

  test('the OpenRLHF client gets rewards, scores and logs', async () => {
    expect(await replay('OpenRLHF 0.11.2: SingleTurnAgentExecutor')).toEqual({
      rewards: [1],
      scores: [1],
      extra_logs: {},
    });
  });

  test('a label may be an answer, tests or a row', async () => {
    const add = '```python\ndef add(a, b): return a + b\n```';
    const body = {
      query: ['Q: \\boxed{3}', `Q: ${add}`, `Q: ${add}</s>`, 'Q: \\boxed{7}'],
      prompts: ['Q: ', 'Q: ', 'Q: ', 'Q: '],
      labels: [
        '4',
        JSON.stringify({
          domain: 'code',
          language: 'python',
          tests: { type: 'assert', code: 'assert add(1, 2) == 3' },
        }),
        JSON.stringify({ inputs: ['1\n2'], outputs: ['3'], fn_name: 'add' }),
        { domain: 'math', answer: 7 },
      ],
    };
    expect(await rewards(body)).toMatchObject({ rewards: [0, 1, 1, 1] });
  });

  test.each([
    { final_answer: '4' },
    { expected_answer: '4' },
    { info: { answer: '4' } },
    { verification_info: { ground_truth: '4' } },
  ])('a label may hold any column that a row accepts: %j', async (label) => {
    const labels = [JSON.stringify(label), label];
    const query = ['\\boxed{4}', '\\boxed{3}'];
    expect(await rewards({ query, labels })).toMatchObject({ rewards: [1, 0] });
  });

  test.each([
    [{ query: 'x', labels: ['1'] }, 'query'],
    [{ query: ['x'], labels: [] }, 'labels'],
    [{ query: ['x', 'y'], prompts: ['x'], labels: ['1', '2'] }, 'prompts'],
    [{ query: ['x'], labels: [null] }, 'labels.0'],
    [{ query: ['xy'], prompts: ['z'], labels: ['1'] }, 'query.0'],
    [{ query: ['x'], labels: ['{"__proto__": {"answer": 1}}'] }, 'labels.0'],
  ])('the get_reward body %j gets a 400 that names the field', async (body, field) => {
    expect(await errorOf(rewards(body))).toMatchObject({ status: 400, field });
  });

  const one = { query: ['\\boxed{1}'], labels: ['1'] };
  test.each(['infra_error', 'overloaded', 'aborted'] as const)(
    'a row with status %s is a 503 that can be retried, never a reward',
    async (status) => {
      const reply = rewards(one, { signal: AbortSignal.abort() }, voidContext(status));
      expect(await errorOf(reply)).toMatchObject({
        status: 503,
        field: 'labels.0',
        canRetry: true,
      });
    },
  );

  test('an undecided row is a 422 unless the request sets its reward', async () => {
    const around = voidContext('undecided');
    expect(await errorOf(rewards(one, {}, around))).toMatchObject({ status: 422, canRetry: false });
    expect(await rewards(one, { query: { undecided: '-0.5' } }, around)).toMatchObject({
      rewards: [-0.5],
    });
    expect(await errorOf(rewards(one, { query: { undecided: 'x' } }))).toMatchObject({
      status: 400,
    });
  });

  test('a label that cannot be parsed fails the request even if undecided has a reward', async () => {
    const body = { query: ['\\boxed{1}'], labels: [{ domain: 'code', tests: 3 }] };
    expect(await errorOf(rewards(body, { query: { undecided: '0' } }))).toMatchObject({
      status: 422,
      field: 'labels.0',
    });
  });
});

describe('slime', () => {
  test('the reply to slime is the bare reward', async () => {
    expect(await replay('slime: remote_rm')).toBe(1);
  });

  test('with a reward key the reply to slime is an object', async () => {
    const { path, body } = RECORDED['slime: remote_rm']!;
    expect(await post(path, body, { query: { reward_key: 'score' } })).toEqual({
      score: 1,
      status: 'accepted',
    });
    for (const reward_key of ['', 'status', '__proto__']) {
      expect(await errorOf(post(path, body, { query: { reward_key } }))).toMatchObject({
        status: 400,
      });
    }
  });

  test('an infrastructure failure is a 503 that slime can retry', async () => {
    const { path, body } = RECORDED['slime: remote_rm']!;
    expect(await errorOf(post(path, body, {}, voidContext('overloaded')))).toMatchObject({
      status: 503,
      canRetry: true,
    });
  });
});

describe('open-instruct', () => {
  test('each assertion gets 1 or 0 and its seconds', async () => {
    expect(await replay('open-instruct: CodeVerifier')).toEqual({
      results: [1, 0, 1],
      runtimes: [expect.any(Number), -1, expect.any(Number)],
    });
  });

  test('compressed stdio tests are read without executing a pickle', async () => {
    expect(await replay('open-instruct: CodeVerifier, code_stdio, encode_tests')).toEqual({
      results: [1, 0],
      runtimes: [expect.any(Number), -1],
    });
  });

  test('the program is run verbatim, without extracting a code block', async () => {
    const program = 's = """\n```python\ndef f(): return 2\n```\n"""\ndef f(): return 1';
    const reply = await post('/test_program', { program, tests: '["assert f() == 1"]' });
    expect(reply).toMatchObject({ results: [1] });
  });

  test('function tests of LiveCodeBench call the program', async () => {
    const program = 'class Solution:\n  def add(self, a, b): return [a + b]';
    const tests = [
      { input: '1\n2', output: '[3]', fn_name: 'add' },
      { input: '1\n2', output: '[4]', fn_name: 'add' },
    ];
    expect(await post('/test_program_functional', { program, tests })).toMatchObject({
      results: [1, 0],
    });
  });

  test('an endless test uses only its own time limit', async () => {
    const program = 'def f(n):\n  while n: pass\n  return n';
    const tests = ['assert f(1) == 1', 'assert f(0) == 0'];
    const reply = await post('/test_program', { program, tests, max_execution_time: 0.3 });
    expect(reply).toMatchObject({ results: [0, 1] });
  });

  test.each([undefined, null, '', [], '[]'])(
    'the empty tests %j give no results',
    async (tests) => {
      const reply = await post('/test_program', { program: 'x', tests });
      expect(reply).toEqual({ results: [], runtimes: [] });
    },
  );

  test('rows that were not judged are retried before the client gets a reply', async () => {
    let rounds = 0;
    const busy = contextOf(judge, {
      verify: async (rows) => {
        rounds += 1;
        if (rounds === 1) throw overloaded('queue-full', 'the queue is full', 1);
        if (rounds > 2) return context.verify(rows);
        const [first, ...rest] = await context.verify(rows);
        return [{ ...first!, status: 'infra_error', passed: null, reward: null }, ...rest];
      },
    });
    const body = { program: 'def f(): return 1', tests: ['assert f() == 1', 'assert f() == 2'] };
    expect(await post('/test_program', body, {}, busy)).toMatchObject({ results: [1, 0] });
    expect(rounds).toBe(3);
  });

  test('a client that disconnects ends the retries', async () => {
    const signal = AbortSignal.abort();
    const body = { program: 'x', tests: ['assert 1'] };
    const reply = post('/test_program', body, { signal }, voidContext('overloaded'));
    expect(await errorOf(reply)).toMatchObject({ status: 503, field: 'tests.0', canRetry: true });
  });

  test.each([
    [{ tests: [] }, 'program'],
    [{ program: 'x', tests: [1] }, 'tests.0'],
    [{ program: 'x', tests: 'not base64' }, 'tests'],
    [{ program: 'x', tests: ['assert 1'], max_execution_time: 'a' }, 'max_execution_time'],
  ])('the test_program body %j gets a 400 that names the field', async (body, field) => {
    expect(await errorOf(post('/test_program', body))).toMatchObject({ status: 400, field });
  });
});

describe('response extraction', () => {
  test('the prompt is removed even if decoding changed its white space', () => {
    expect(removePrompt('<s> Say  hi\n\nthere: hi', 'Say hi there:', 'q')).toBe(' hi');
    expect(removePrompt('hi', '', 'q')).toBe('hi');
  });

  test('special tokens are removed at the end and kept elsewhere', () => {
    expect(removeSpecialTokens('a <|x|> b<|im_end|>\n<|endoftext|></s><pad><pad>')).toBe(
      'a <|x|> b',
    );
    const padding = '<pad>'.repeat(100_000);
    expect(removeSpecialTokens(`a${padding}`)).toBe('a');
  });

  test('removing any prompt from prompt + response gives the response', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (prompt, response) => {
        expect(removePrompt(prompt + response, prompt, 'q')).toBe(response);
      }),
    );
  });
});
