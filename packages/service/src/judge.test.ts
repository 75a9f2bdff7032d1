/** Tests of the judge: verdict rows of a scripted domain, and real rows of math and code. */
import { domainsOf } from '@cipo/verifier/domains';
import { type Domain, judged, TaskError, type Verdict, voided } from '@cipo/verifier/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createJudge, type Judge } from './judge.ts';
import { verdictLine } from './write.ts';

/** A domain whose verdict, or failure, is a function in its row. */
const scripted: Domain<{ readonly run: () => Promise<Verdict> }> = {
  name: 'scripted',
  parse: (row) => {
    const { run } = Object(row);
    if (typeof run !== 'function') throw new TaskError('run', 'must be a function', run);
    return { id: 'generated', domain: 'scripted', prompt: [], reference: { run } };
  },
  verify: (task) => task.reference.run(),
};

const scriptedJudge = createJudge({ domains: domainsOf([scripted]), domain: 'scripted' });
async function judgeScript(run: unknown, fields = {}) {
  return (await scriptedJudge).judge({ response: 'x', run, ...fields });
}

describe('verdict rows', () => {
  test('a judged row has a reward, and a void one has none', async () => {
    expect(await judgeScript(async () => judged('accepted'))).toMatchObject({
      passed: true,
      reward: 1,
    });
    expect(await judgeScript(async () => judged('time_limit'))).toMatchObject({
      passed: false,
      reward: 0,
    });
    for (const [fault, status] of [
      ['infra', 'infra_error'],
      ['overloaded', 'overloaded'],
      ['undecided', 'undecided'],
      ['bad-task', 'bad_task'],
      ['aborted', 'aborted'],
    ] as const) {
      const row = await judgeScript(async () => voided(fault, 'why'));
      expect(row).toMatchObject({ status, passed: null, reward: null });
      expect(row.diagnostics).toEqual([
        { code: status.replace('_', '-'), audience: 'operator', message: 'why' },
      ]);
    }
  });

  test('a domain that rejects or returns no verdict is an infrastructure failure', async () => {
    const broken = [
      async () => Promise.reject(new Error('boom')),
      () => {
        throw new Error('boom');
      },
      async () => undefined,
      async () => ({ kind: 'judged', passed: true, status: 'wrong_answer', diagnostics: [] }),
      async () => ({ kind: 'void', fault: 'constructor', detail: '' }),
    ];
    for (const run of broken) {
      expect(await judgeScript(run)).toMatchObject({
        status: 'infra_error',
        passed: null,
        reward: null,
      });
    }
  });

  test('the id is that of the row, else the one that the domain generates', async () => {
    expect((await judgeScript(async () => judged('accepted'), { id: 7 })).id).toBe('7');
    expect((await judgeScript(async () => judged('accepted'))).id).toBe('generated');
  });

  test('a row without a response is missing one, and the message does not quote a value', async () => {
    const { status, diagnostics } = await (await scriptedJudge).judge({ run: () => undefined });
    expect(status).toBe('bad_task');
    expect(diagnostics[0]?.message).toBe(
      'response: is missing (other accepted columns: completion, completions, solution_str, output)',
    );
  });

  test('a TaskError of another copy of the package is recognized', async () => {
    const foreign = Object.assign(new Error('x: must be y'), { name: 'TaskError', field: 'x' });
    const stranger: Domain = {
      ...scripted,
      parse: () => {
        throw foreign;
      },
    };
    const judge = await createJudge({ domains: domainsOf([stranger]), domain: 'scripted' });
    expect(await judge.judge({ response: 'x' })).toMatchObject({
      status: 'bad_task',
      diagnostics: [{ details: { field: 'x', reason: 'x: must be y' } }],
    });
  });

  test('a program that no domain can run gets a void result', async () => {
    const ran = await (await scriptedJudge).run({ language: 'python', source: '1' });
    expect(ran).toMatchObject({ kind: 'void', fault: 'infra' });
  });

  test('a row that is aborted before verification has status aborted', async () => {
    const row = { response: 'x', run: async () => judged('accepted') };
    const verdict = await (await scriptedJudge).judge(row, AbortSignal.abort());
    expect(verdict).toMatchObject({ status: 'aborted', reward: null });
  });

  test('a verdict that cannot be written as JSON is still one line', async () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    const finding = { code: 'x', audience: 'operator', message: 'm', details: loop } as const;
    const verdict = await judgeScript(async () => judged('accepted', [finding]));
    expect(JSON.parse(verdictLine(verdict))).toMatchObject({ status: 'infra_error', reward: null });
    const big = { ...finding, details: { n: 2n ** 70n } };
    const row = await judgeScript(async () => judged('accepted', [big]));
    expect(JSON.parse(verdictLine(row))).toMatchObject({
      status: 'accepted',
      diagnostics: [{ details: { n: '1180591620717411303424' } }],
    });
  });

  test('a verdict line contains no character that a terminal acts on', async () => {
    const message = '\u001b[2J \u009b31m \u202e \u2028 \ud800 é';
    const finding = { code: 'x', audience: 'policy', message } as const;
    const line = verdictLine(await judgeScript(async () => judged('wrong_answer', [finding])));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for them
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e\ud800]/);
    expect(JSON.parse(line).diagnostics[0].message).toBe(message);
  });
});

describe('math and code', () => {
  let judge: Judge;
  beforeAll(async () => {
    judge = await createJudge({ workers: 1, maxResponseLength: 5000 });
  });
  afterAll(() => judge.close());

  test('math and code rows of all supported shapes get their verdicts', async () => {
    const tests = { type: 'call', entry: 'f', cases: [{ args: [1], expected: 2 }] };
    const rows = [
      { answer: '1/2', response: '\\boxed{0.5}' },
      { reward_model: { ground_truth: '18' }, solution_str: '\\boxed{17}' },
      { question: 'q', answer: '9 * 8 = <<9*8=72>>72\n#### 72', response: '\\boxed{72}' },
      { language: 'js', tests, response: 'const f = (x) => x + 1' },
      { language: 'js', tests: { ...tests, entry: 'g' }, response: 'const f = (x) => x + 1' },
      {
        input_output: { fn_name: 'f', inputs: [[1]], outputs: [[2]] },
        response: 'def f(x): return [2]',
      },
      {
        input_output: { fn_name: 'f', inputs: [[1]], outputs: [[2]] },
        response: 'def f(x): return 2',
      },
      {
        input_output: { fn_name: 'f', inputs: [[1]], outputs: [[2]] },
        response: 'def f(x): return 3',
      },
    ];
    const verdicts = await Promise.all(rows.map((row) => judge.judge(row)));
    expect(verdicts.map(({ status }) => status)).toEqual([
      'accepted',
      'wrong_answer',
      'accepted',
      'accepted',
      'missing_entry',
      'accepted',
      'accepted',
      'wrong_answer',
    ]);
  });

  test.each([
    ['row', null],
    ['domain', { response: 'x' }],
    ['domain', { domain: 'constructor', response: 'x' }],
    ['response', { answer: '1' }],
    ['response', { answer: '1', response: 'x'.repeat(5001) }],
    ['answer', { answer: {}, response: 'x' }],
    ['options.percent', { answer: '1', response: 'x', options: { percent: 'no' } }],
    ['language', { tests: ['assert 1'], response: 'x', language: 'constructor' }],
    ['limits.cpuMs', { tests: ['assert 1'], response: 'x', limits: { cpuMs: 0 } }],
  ])('an unreadable row is a bad_task that names its field: %s', async (field, row) => {
    const verdict = await judge.judge(row);
    expect(verdict).toMatchObject({ status: 'bad_task', passed: null, reward: null });
    expect(verdict.diagnostics[0]?.details).toMatchObject({
      field,
      reason: expect.any(String),
      received: expect.any(String),
    });
  });

  test('fields of a row override the defaults, and options are merged key by key', async () => {
    const withDefaults = await createJudge({
      workers: 1,
      defaults: { answer: '5', options: { extraction: 'any', form: 'simplest' } },
    });
    const judgeWith = (fields: object) =>
      withDefaults.judge({ response: 'The answer is 10/2.', ...fields });
    expect((await judgeWith({})).status).toBe('wrong_answer');
    expect((await judgeWith({ options: { form: 'any' } })).status).toBe('accepted');
    expect((await judgeWith({ answer: '6' })).status).toBe('wrong_answer');
    await withDefaults.close();
  });

  test('an unknown default domain is rejected when the judge is created', async () => {
    await expect(createJudge({ domain: 'maht' })).rejects.toThrow(/did you mean "math"/);
  });

  test('ready starts sandboxes of known languages and rejects for an unknown one', async () => {
    await judge.ready(['javascript']);
    await expect(judge.ready(['cobol'])).rejects.toThrow(/language/);
  });
});
