/** The wire formats of trainers, with requests of their real clients and a real judge behind. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { overloaded, Problem } from '../http/problem.ts';
import type { Route, RouteContext } from '../http/route.ts';
import { createJudge, type RowVerdict } from '../judge.ts';
import { WIRE_ROUTES } from './index.ts';
import { withoutPrompt, withoutSpecialTokens } from './response.ts';
import { type Asked, ask, contextOf, RECORDED } from './testing.ts';

const judge = await createJudge({ workers: 1 });
afterAll(() => judge.close());
const context = contextOf(judge);

const route = (path: string): Route => WIRE_ROUTES.find((one) => one.path === path)!;
const post = (path: string, body: unknown, asked: Partial<Asked> = {}, around = context) =>
  ask(route(path), { body, ...asked }, around);
const replay = (client: string) => post(RECORDED[client]!.path, RECORDED[client]!.body);
const refusal = async (reply: Promise<unknown>) => {
  const problem = await reply.then(
    (body) => body,
    (error: unknown) => error,
  );
  if (!(problem instanceof Problem)) throw new Error(`not refused: ${JSON.stringify(problem)}`);
  const { status, code, field, headers } = problem;
  return { status, code, field, again: 'retry-after' in headers };
};

/** A context in which nothing is judged: every row has this status. */
const voids = (status: RowVerdict['status']): RouteContext => {
  const verdict = { id: '', status, passed: null, reward: null, cpuMs: 0, wallMs: 0 } as const;
  return contextOf(judge, {
    verify: async (rows) => rows.map(() => ({ ...verdict, diagnostics: [] })),
    each: async () => {
      throw overloaded('queue-full', 'no room', 3);
    },
  });
};

describe('every wire route', () => {
  test('has a path and an operation of its own', () => {
    const paths = WIRE_ROUTES.map(({ path, method }) => `${method} ${path}`);
    const names = WIRE_ROUTES.map(({ describe }) => describe.operationId);
    expect(new Set(paths).size).toBe(paths.length);
    expect(new Set(names).size).toBe(names.length);
  });

  const posts = WIRE_ROUTES.filter(({ method }) => method === 'POST');
  test.each(posts.map((one) => [one.path, one] as const))(
    '%s answers any JSON with a reply or a 4xx, never with a crash',
    async (_path, one) => {
      const value = fc.jsonValue({ maxDepth: 3 });
      const names = ['query', 'prompts', 'labels', 'response', 'label', 'prompt', 'program'];
      names.push('tests', 'max_execution_time', 'code', 'language', 'stdin', 'files');
      const body = fc.oneof(value, fc.dictionary(fc.constantFrom(...names), value));
      const still = voids('undecided');
      await fc.assert(
        fc.asyncProperty(body, async (hostile) => {
          const error = await ask(one, { body: hostile }, still).catch((thrown: unknown) => thrown);
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
    '%s gets a RunCodeResponse',
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
  ])('%s: a failing program is Failed, with its code', async (language, code, rc, out, err) => {
    expect(await run({ language, code })).toMatchObject({
      status: 'Failed',
      run_result: { status: 'Finished', return_code: rc, stdout: out, stderr: err },
    });
  });

  test('files are there to be read, and fetched as they were', async () => {
    const files = { 'data/in.txt': Buffer.from('42').toString('base64'), ignored: null };
    const fetch_files = ['data/in.txt', 'out.txt'];
    const code = 'print(open("data/in.txt").read())';
    expect(await run({ language: 'python', code, files, fetch_files })).toMatchObject({
      status: 'Success',
      run_result: { stdout: '42\n' },
      files: { 'data/in.txt': files['data/in.txt'] },
    });
  });

  test('a program that runs out of time is TimeLimitExceeded without a code', async () => {
    const reply = await run({ language: 'python', code: 'while True: pass', run_timeout: 0.3 });
    expect(reply).toMatchObject({
      status: 'Failed',
      run_result: { status: 'TimeLimitExceeded', return_code: null },
    });
  });

  test("memory is the guest's to be told of, up to what it asked for", async () => {
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
    [{ code: 'x', language: 'python', files: { a: 'no Base64!' } }, 'files'],
    [{ code: 'x', language: 'python', files: { a: 1 } }, 'files'],
    [{ code: 'x', language: 'python', files: [] }, 'files'],
    [{ code: 'x', language: 'python', files: { a: 'A'.repeat((4 << 20) + 1) } }, 'files'],
  ])('%j is a 422 that names the field, as FastAPI does', async (body, field) => {
    expect(await refusal(run(body))).toMatchObject({ status: 422, field });
    const error = await run(body).catch((thrown: unknown) => thrown);
    expect(route('/run_code').problem?.(error as Problem, 'r')).toMatchObject({
      detail: [{ loc: ['body', field], msg: expect.any(String) }],
    });
  });

  test('a sandbox of ours that fails is a 504 and no result', async () => {
    const broken = contextOf({
      ...judge,
      run: async () => ({ kind: 'void', fault: 'infra', detail: 'gone' }),
    });
    const reply = post('/run_code', { language: 'python', code: 'print(1)' }, {}, broken);
    expect(await refusal(reply)).toMatchObject({ status: 504, again: true });
  });
});

describe('OpenRLHF', () => {
  const rewards = (body: object, asked: Partial<Asked> = {}, around = context) =>
    post('/get_reward', body, asked, around);

  test('its client gets rewards, scores and logs', async () => {
    expect(await replay('OpenRLHF 0.11.2: SingleTurnAgentExecutor')).toEqual({
      rewards: [1],
      scores: [1],
      extra_logs: {},
    });
  });

  test('labels are answers, tests or rows, each judged as what it is', async () => {
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
    [{ query: 'x', labels: ['1'] }, 'query'],
    [{ query: ['x'], labels: [] }, 'labels'],
    [{ query: ['x', 'y'], prompts: ['x'], labels: ['1', '2'] }, 'prompts'],
    [{ query: ['x'], labels: [null] }, 'labels.0'],
    [{ query: ['xy'], prompts: ['z'], labels: ['1'] }, 'query.0'],
    [{ query: ['x'], labels: ['{"__proto__": {"answer": 1}}'] }, 'labels.0'],
  ])('%j is a 400 that names the field', async (body, field) => {
    expect(await refusal(rewards(body))).toMatchObject({ status: 400, field });
  });

  const one = { query: ['\\boxed{1}'], labels: ['1'] };
  test.each(['infra_error', 'overloaded', 'aborted'] as const)(
    '%s is a 503 to try again, never a reward',
    async (status) => {
      const reply = rewards(one, { signal: AbortSignal.abort() }, voids(status));
      expect(await refusal(reply)).toMatchObject({ status: 503, field: 'labels.0', again: true });
    },
  );

  test('undecided is a 422, unless the request says what it is worth', async () => {
    const around = voids('undecided');
    expect(await refusal(rewards(one, {}, around))).toMatchObject({ status: 422, again: false });
    expect(await rewards(one, { query: { undecided: '-0.5' } }, around)).toMatchObject({
      rewards: [-0.5],
    });
    expect(await refusal(rewards(one, { query: { undecided: 'x' } }))).toMatchObject({
      status: 400,
    });
  });

  test('a label that cannot be read fails the request whatever undecided is worth', async () => {
    const body = { query: ['\\boxed{1}'], labels: [{ domain: 'code', tests: 3 }] };
    expect(await refusal(rewards(body, { query: { undecided: '0' } }))).toMatchObject({
      status: 422,
      field: 'labels.0',
    });
  });
});

describe('slime', () => {
  test('the reply is the bare reward', async () => {
    expect(await replay('slime: remote_rm')).toBe(1);
  });

  test('a reward key makes it an object', async () => {
    const { path, body } = RECORDED['slime: remote_rm']!;
    expect(await post(path, body, { query: { reward_key: 'score' } })).toEqual({
      score: 1,
      status: 'accepted',
    });
    for (const reward_key of ['', 'status', '__proto__'])
      expect(await refusal(post(path, body, { query: { reward_key } }))).toMatchObject({
        status: 400,
      });
  });

  test('trouble of ours is a 503 to try again', async () => {
    const { path, body } = RECORDED['slime: remote_rm']!;
    expect(await refusal(post(path, body, {}, voids('overloaded')))).toMatchObject({
      status: 503,
      again: true,
    });
  });
});

describe('open-instruct', () => {
  test('assertions get 1 or 0 and seconds each', async () => {
    expect(await replay('open-instruct: CodeVerifier')).toEqual({
      results: [1, 0, 1],
      runtimes: [expect.any(Number), -1, expect.any(Number)],
    });
  });

  test('compressed stdio tests are read without running a pickle', async () => {
    expect(await replay('open-instruct: CodeVerifier, code_stdio, encode_tests')).toEqual({
      results: [1, 0],
      runtimes: [expect.any(Number), -1],
    });
  });

  test('the program is taken as it stands', async () => {
    const program = 's = """\n```python\ndef f(): return 2\n```\n"""\ndef f(): return 1';
    const reply = await post('/test_program', { program, tests: '["assert f() == 1"]' });
    expect(reply).toMatchObject({ results: [1] });
  });

  test('function tests of LiveCodeBench are called', async () => {
    const program = 'class Solution:\n  def add(self, a, b): return [a + b]';
    const tests = [
      { input: '1\n2', output: '[3]', fn_name: 'add' },
      { input: '1\n2', output: '[4]', fn_name: 'add' },
    ];
    expect(await post('/test_program_functional', { program, tests })).toMatchObject({
      results: [1, 0],
    });
  });

  test('a test that does not end takes its own time only', async () => {
    const program = 'def f(n):\n  while n: pass\n  return n';
    const tests = ['assert f(1) == 1', 'assert f(0) == 0'];
    const reply = await post('/test_program', { program, tests, max_execution_time: 0.3 });
    expect(reply).toMatchObject({ results: [0, 1] });
  });

  test.each([undefined, null, '', [], '[]'])('no tests (%j) give no results', async (tests) => {
    const reply = await post('/test_program', { program: 'x', tests });
    expect(reply).toEqual({ results: [], runtimes: [] });
  });

  test('rows without a judgement are asked for again before the client hears of it', async () => {
    let rounds = 0;
    const busy = contextOf(judge, {
      verify: async (rows) => {
        rounds += 1;
        if (rounds === 1) throw overloaded('queue-full', 'no room', 1);
        if (rounds > 2) return context.verify(rows);
        const [first, ...rest] = await context.verify(rows);
        return [{ ...first!, status: 'infra_error', passed: null, reward: null }, ...rest];
      },
    });
    const body = { program: 'def f(): return 1', tests: ['assert f() == 1', 'assert f() == 2'] };
    expect(await post('/test_program', body, {}, busy)).toMatchObject({ results: [1, 0] });
    expect(rounds).toBe(3);
  });

  test('a client that is gone ends the asking', async () => {
    const signal = AbortSignal.abort();
    const body = { program: 'x', tests: ['assert 1'] };
    const reply = post('/test_program', body, { signal }, voids('overloaded'));
    expect(await refusal(reply)).toMatchObject({ status: 503, field: 'tests.0', again: true });
  });

  test.each([
    [{ tests: [] }, 'program'],
    [{ program: 'x', tests: [1] }, 'tests.0'],
    [{ program: 'x', tests: 'not base64' }, 'tests'],
    [{ program: 'x', tests: ['assert 1'], max_execution_time: 'a' }, 'max_execution_time'],
  ])('%j is a 400 that names the field', async (body, field) => {
    expect(await refusal(post('/test_program', body))).toMatchObject({ status: 400, field });
  });
});

describe('a response among other text', () => {
  test('the prompt is found whatever decoding did to its blanks', () => {
    expect(withoutPrompt('<s> Say  hi\n\nthere: hi', 'Say hi there:', 'q')).toBe(' hi');
    expect(withoutPrompt('hi', '', 'q')).toBe('hi');
  });

  test('special tokens at the end go, wherever else they stay', () => {
    expect(withoutSpecialTokens('a <|x|> b<|im_end|>\n<|endoftext|></s><pad><pad>')).toBe(
      'a <|x|> b',
    );
    const padding = '<pad>'.repeat(100_000);
    expect(withoutSpecialTokens(`a${padding}`)).toBe('a');
  });

  test('a response is what was added to any prompt', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (prompt, response) => {
        expect(withoutPrompt(prompt + response, prompt, 'q')).toBe(response);
      }),
    );
  });
});
