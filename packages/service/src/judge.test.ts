import { domainsOf } from '@cipo/verifier/domains';
import { type Domain, judged, TaskError, type Verdict, voided } from '@cipo/verifier/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createJudge, type Judge } from './judge.ts';
import { verdictLine } from './write.ts';

/** A domain that answers, or fails, as its row says. */
const puppet: Domain<{ readonly does: () => Promise<Verdict> }> = {
  name: 'puppet',
  parse: (row) => {
    const { does } = Object(row);
    if (typeof does !== 'function') throw new TaskError('does', 'must be a function', does);
    return { id: 'made-up', domain: 'puppet', prompt: [], reference: { does } };
  },
  verify: (task) => task.reference.does(),
};

const puppets = createJudge({ domains: domainsOf([puppet]), domain: 'puppet' });
const ask = async (does: unknown, more = {}) =>
  (await puppets).judge({ response: 'x', does, ...more });

describe('a verdict as a row', () => {
  test('a judgement has a reward, its absence has none', async () => {
    expect(await ask(async () => judged('accepted'))).toMatchObject({ passed: true, reward: 1 });
    expect(await ask(async () => judged('time_limit'))).toMatchObject({ passed: false, reward: 0 });
    for (const [fault, status] of [
      ['infra', 'infra_error'],
      ['overloaded', 'overloaded'],
      ['undecided', 'undecided'],
      ['bad-task', 'bad_task'],
      ['aborted', 'aborted'],
    ] as const) {
      const row = await ask(async () => voided(fault, 'why'));
      expect(row).toMatchObject({ status, passed: null, reward: null });
      expect(row.diagnostics).toEqual([
        { code: status.replace('_', '-'), audience: 'operator', message: 'why' },
      ]);
    }
  });

  test('a domain that breaks its promise is trouble of ours, never a wrong answer', async () => {
    const broken = [
      async () => Promise.reject(new Error('boom')),
      () => {
        throw new Error('boom');
      },
      async () => undefined,
      async () => ({ kind: 'judged', passed: true, status: 'wrong_answer', diagnostics: [] }),
      async () => ({ kind: 'void', fault: 'constructor', detail: '' }),
    ];
    for (const does of broken) {
      expect(await ask(does)).toMatchObject({ status: 'infra_error', passed: null, reward: null });
    }
  });

  test('the id is the row’s own, else its domain’s', async () => {
    expect((await ask(async () => judged('accepted'), { id: 7 })).id).toBe('7');
    expect((await ask(async () => judged('accepted'))).id).toBe('made-up');
  });

  test('a TaskError of another copy of the package is one', async () => {
    const foreign = Object.assign(new Error('x: is wrong'), { name: 'TaskError', field: 'x' });
    const stranger: Domain = {
      ...puppet,
      parse: () => {
        throw foreign;
      },
    };
    const judge = await createJudge({ domains: domainsOf([stranger]), domain: 'puppet' });
    expect(await judge.judge({ response: 'x' })).toMatchObject({
      status: 'bad_task',
      diagnostics: [{ details: { field: 'x', reason: 'x: is wrong' } }],
    });
  });

  test('an abort before the judging is said as one', async () => {
    const row = { response: 'x', does: async () => judged('accepted') };
    const verdict = await (await puppets).judge(row, AbortSignal.abort());
    expect(verdict).toMatchObject({ status: 'aborted', reward: null });
  });

  test('a verdict that JSON cannot say is still a line', async () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    const finding = { code: 'x', audience: 'operator', message: 'm', details: loop } as const;
    const verdict = await ask(async () => judged('accepted', [finding]));
    expect(JSON.parse(verdictLine(verdict))).toMatchObject({ status: 'infra_error', reward: null });
    const big = { ...finding, details: { n: 2n ** 70n } };
    const row = await ask(async () => judged('accepted', [big]));
    expect(JSON.parse(verdictLine(row))).toMatchObject({
      status: 'accepted',
      diagnostics: [{ details: { n: '1180591620717411303424' } }],
    });
  });

  test('a line of JSON holds nothing that a terminal would act on', async () => {
    const message = '\u001b[2J \u009b31m \u202e \u2028 \ud800 é';
    const finding = { code: 'x', audience: 'policy', message } as const;
    const line = verdictLine(await ask(async () => judged('wrong_answer', [finding])));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
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

  test('rows of every kind, each with its verdict', async () => {
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
    [null, 'row'],
    [{ response: 'x' }, 'domain'],
    [{ domain: 'constructor', response: 'x' }, 'domain'],
    [{ answer: '1' }, 'response'],
    [{ answer: '1', response: 'x'.repeat(5001) }, 'response'],
    [{ answer: {}, response: 'x' }, 'answer'],
    [{ answer: '1', response: 'x', options: { percent: 'no' } }, 'options.percent'],
    [{ tests: ['assert 1'], response: 'x', language: 'constructor' }, 'language'],
    [{ tests: ['assert 1'], response: 'x', limits: { cpuMs: 0 } }, 'limits.cpuMs'],
  ])('a bad row %# is named by its field', async (row, field) => {
    const verdict = await judge.judge(row);
    expect(verdict).toMatchObject({ status: 'bad_task', passed: null, reward: null });
    expect(verdict.diagnostics[0]?.details).toMatchObject({
      field,
      reason: expect.any(String),
      received: expect.any(String),
    });
  });

  test('defaults lie under rows, options and limits key by key', async () => {
    const eased = await createJudge({
      workers: 1,
      defaults: { answer: '5', options: { extraction: 'any', form: 'simplest' } },
    });
    const said = (more: object) => eased.judge({ response: 'The answer is 10/2.', ...more });
    expect((await said({})).status).toBe('wrong_answer');
    expect((await said({ options: { form: 'any' } })).status).toBe('accepted');
    expect((await said({ answer: '6' })).status).toBe('wrong_answer');
    await eased.close();
  });

  test('an unknown default domain is refused at once', async () => {
    await expect(createJudge({ domain: 'maht' })).rejects.toThrow(/did you mean "math"/);
  });

  test('ready starts the sandboxes that rows will need', async () => {
    await judge.ready(['javascript']);
    await expect(judge.ready(['cobol'])).rejects.toThrow(/language/);
  });
});
