/** Tests the contract itself: a good domain passes, and every check fails for a domain that breaks it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { type ContractSubject, domainContract } from './testing.ts';
import {
  type Attempt,
  type Diagnostic,
  type Domain,
  judged,
  type Task,
  TaskError,
  type Verdict,
  voided,
} from './types.ts';

interface Sum {
  readonly terms: readonly number[];
  readonly total: number;
}

const SLOW = 'think about it for an hour';

/** A domain that adds numbers and keeps the contract. `parts` replace methods to break it. */
function sumDomain(parts: Partial<Domain<Sum>> = {}): Domain<Sum> {
  return {
    name: 'sums',
    parse,
    verify,
    correction: (task, attempt, diagnostics) => [
      ...task.prompt,
      { role: 'user', content: describeAttempt(attempt, diagnostics) },
    ],
    known: ({ reference: { total } }) => ({ correct: String(total), incorrect: '-404' }),
    ...parts,
  };
}

function parse(row: unknown): Task<Sum> {
  const terms = typeof row === 'object' && row !== null && 'terms' in row ? row.terms : undefined;
  if (!Array.isArray(terms) || terms.length === 0 || !terms.every(Number.isSafeInteger)) {
    throw new TaskError('terms', 'expected whole numbers', terms);
  }
  const content = `Add ${terms.join(' and ')}.`;
  const total = terms.reduce((a, b) => a + b);
  return {
    id: content,
    domain: 'sums',
    prompt: [{ role: 'user', content }],
    reference: { terms, total },
  };
}

async function verify(task: Task<Sum>, attempt: Attempt, signal?: AbortSignal): Promise<Verdict> {
  if (attempt.text === SLOW) {
    await sleep(60_000, undefined, { signal, ref: false }).catch(() => undefined);
  }
  if (signal?.aborted) return voided('aborted', 'the caller cancelled');
  await sleep(1);
  if (/^-?\d{1,9}$/.test(attempt.text.trim())) {
    return judged(Number(attempt.text) === task.reference.total ? 'accepted' : 'wrong_answer', [
      { code: 'compared', audience: 'operator', message: `expected ${task.reference.total}` },
    ]);
  }
  const message = 'The answer must be one number.';
  return judged('unreadable_answer', [{ code: 'unreadable-answer', audience: 'policy', message }]);
}

function describeAttempt(attempt: Attempt, diagnostics: readonly Diagnostic[]) {
  return `Look again: ${attempt.text.slice(0, 1_000)}\n${diagnostics.map((d) => d.message).join('\n')}`;
}

const rows = [{ terms: [1203, 4501] }, { terms: [7_070, -11] }];
function subject(domain: Domain<Sum>): ContractSubject<Sum> {
  return {
    domain,
    rows,
    badRows: [{ row: { terms: [1.5] }, field: 'terms' }],
    slow: { row: rows[0], text: SLOW },
    hostile: ['five thousand'],
    timeoutMs: 2_000,
  };
}

/** The check with this name. The name of the domain is added. */
function checkOf(subject: ContractSubject<Sum>, name: string) {
  return domainContract(subject).find((check) => check.name === `sums: ${name}`)!;
}

test.each(domainContract(subject(sumDomain())))('a good domain passes: $name', ({ run }) => run());

function withDiagnostics(verdict: Verdict, ...more: Diagnostic[]): Verdict {
  return verdict.kind === 'void'
    ? verdict
    : { ...verdict, diagnostics: [...verdict.diagnostics, ...more] };
}

let calls = 0;
let running = 0;
let tired = false;
let closed = 0;
function note(message: string, details?: Record<string, unknown>): Diagnostic {
  return {
    code: 'note',
    audience: 'policy',
    message,
    ...(details && { details }),
  };
}

const PARSES = 'parses its rows into tasks of its own domain, each with an id';
const REFUSES = 'refuses rows that it cannot read and names the field';
const DAMAGED = 'turns a damaged row into a task or a TaskError';
const KNOWN = 'accepts its known correct response and rejects the incorrect one';
const REPEATS = 'gives the same attempt the same verdict again';
const PARALLEL = 'gives the same verdicts in parallel';
const HOSTILE = 'judges hostile text, accepts none of it, and works afterwards';
const BEFORE = 'returns a void verdict if it is aborted beforehand';
const DURING = 'stops when it is aborted while judging, and works afterwards';
const LEAKS = 'shows the policy no part of the reference';
const SAME = 'looks the same to the policy whatever the reference is';
const ALIKE = 'words the corrections of a correct and an incorrect attempt alike';
const CLOSES = 'can be closed twice and called afterwards';

/** The check that must fail, what the domain does, and what the failure must say. */
const BROKEN: readonly (readonly [string, string, string, Partial<Domain<Sum>>])[] = [
  [
    PARSES,
    'gives its tasks another domain name',
    'have the name',
    { parse: (row) => ({ ...parse(row), domain: 'other' }) },
  ],
  [
    PARSES,
    'gives every task the same id',
    'must be unique',
    { parse: (row) => ({ ...parse(row), id: '0' }) },
  ],
  [
    PARSES,
    'numbers its tasks',
    'same task every time',
    { parse: (row) => ({ ...parse(row), id: `${calls++}` }) },
  ],
  [
    PARSES,
    'gives no prompt',
    'needs a prompt',
    { parse: (row) => ({ ...parse(row), prompt: [] }) },
  ],
  [
    PARSES,
    'modifies its rows',
    'read only',
    {
      parse(row) {
        (row as { terms: number[] }).terms?.sort();
        return parse(row);
      },
    },
  ],
  [
    REFUSES,
    'accepts every row',
    'must be refused',
    { parse: (row) => parse(Array.isArray(Object(row).terms) ? row : rows[0]) },
  ],
  [
    REFUSES,
    'names another field',
    'must be refused for the field',
    {
      parse(row) {
        try {
          return parse(row);
        } catch {
          throw new TaskError('row', 'is bad', row);
        }
      },
    },
  ],
  [
    DAMAGED,
    'throws another error on a field of the wrong type',
    'with a TaskError',
    {
      parse(row) {
        const { terms } = Object(row);
        return parse(terms && { terms: terms.map((term: number) => term.valueOf()) });
      },
    },
  ],
  [KNOWN, 'accepts nothing', 'must be accepted', { verify: async () => judged('wrong_answer') }],
  [KNOWN, 'accepts everything', 'must be rejected', { verify: async () => judged('accepted') }],
  [KNOWN, 'knows no responses', 'give it `known`', { known: () => undefined }],
  [
    KNOWN,
    'sets passed with a failing status',
    'follow from the status',
    {
      verify: async () => ({ ...judged('crashed'), passed: true }),
    },
  ],
  [
    REPEATS,
    'counts its calls in a diagnostic',
    'the second time',
    { verify: async (...a) => withDiagnostics(await verify(...a), note(`${calls++}`)) },
  ],
  [
    PARALLEL,
    'mixes up parallel calls',
    'in parallel',
    {
      async verify(...a) {
        running++;
        const verdict = await verify(...a);
        return running-- > 3 ? judged('time_limit') : verdict;
      },
    },
  ],
  [
    HOSTILE,
    'rejects on hostile text',
    'must not reject',
    {
      async verify(task, attempt, signal) {
        if (attempt.text.includes('__proto__')) throw new RangeError('too deep');
        return verify(task, attempt, signal);
      },
    },
  ],
  [
    HOSTILE,
    'reads a number in any text',
    'must not be accepted',
    {
      verify: async (task, attempt, signal) =>
        attempt.text === 'five thousand' ? judged('accepted') : verify(task, attempt, signal),
    },
  ],
  [
    HOSTILE,
    'turns a long attempt into a fault',
    'must not cause a fault',
    {
      verify: async (task, attempt, signal) =>
        attempt.text.length > 10_000 ? voided('infra', '?') : verify(task, attempt, signal),
    },
  ],
  [
    HOSTILE,
    'never returns on some texts',
    'no verdict within',
    {
      verify: (task, attempt, signal) =>
        attempt.text.startsWith('[[') ? new Promise(() => {}) : verify(task, attempt, signal),
    },
  ],
  [
    HOSTILE,
    'quotes the whole attempt in a message',
    'is too long',
    {
      verify: async (t, a, s) =>
        withDiagnostics(await verify(t, a, s), note(`not a number: ${a.text}`)),
    },
  ],
  [
    HOSTILE,
    'stops working after a hostile text',
    'after hostile texts',
    {
      async verify(task, attempt, signal) {
        tired ||= attempt.text.startsWith('|||');
        return tired ? judged('crashed') : verify(task, attempt, signal);
      },
    },
  ],
  [
    BEFORE,
    'ignores the signal',
    'must be void, aborted',
    { verify: (task, attempt) => verify(task, attempt) },
  ],
  [
    DURING,
    'judges an aborted attempt',
    'must be void, aborted',
    {
      async verify(task, attempt, signal) {
        const verdict = await verify(task, attempt, signal);
        await sleep(1);
        return signal?.aborted ? judged('time_limit') : verdict;
      },
    },
  ],
  [
    DURING,
    'checks the signal only at the start',
    'no verdict within',
    {
      verify: async (task, attempt, signal) =>
        signal?.aborted ? voided('aborted', '') : verify(task, attempt),
    },
  ],
  [
    LEAKS,
    'names the total in the prompt',
    'reveals the answer',
    {
      parse(row) {
        const task = parse(row);
        return {
          ...task,
          prompt: [{ role: 'user', content: `Add up to ${task.reference.total}.` }],
        };
      },
    },
  ],
  [
    LEAKS,
    'reveals the total in a message',
    'the policy can read',
    {
      verify: async (t, ...a) =>
        withDiagnostics(await verify(t, ...a), note(`not ${t.reference.total}`)),
    },
  ],
  [
    LEAKS,
    'reveals the total in the details',
    'the policy can read',
    {
      verify: async (t, ...a) =>
        withDiagnostics(
          await verify(t, ...a),
          note('no', { wanted: { total: t.reference.total } }),
        ),
    },
  ],
  [
    LEAKS,
    'reveals the total in the correction',
    'the policy can read',
    {
      correction: (task, attempt) => [
        { role: 'user', content: `${attempt.text.slice(0, 1000)}? It is ${task.reference.total}.` },
      ],
    },
  ],
  [
    ALIKE,
    'reveals the verdict in the correction',
    'reveals whether the attempt is correct',
    {
      correction: (task, attempt) => [
        {
          role: 'user',
          content: `${attempt.text.slice(0, 1000)} is ${Number(attempt.text) === task.reference.total ? 'right' : 'wrong'}.`,
        },
      ],
    },
  ],
  [
    ALIKE,
    'shows the whole attempt in the correction',
    'characters of correction prompt',
    { correction: (_, attempt) => [{ role: 'user', content: attempt.text }] },
  ],
  [
    CLOSES,
    'throws on the second close',
    'already closed',
    {
      async close() {
        if (closed++ > 0) throw new Error('already closed');
      },
    },
  ],
];

test.each(BROKEN)('"%s" fails for a domain that %s', async (check, _what, says, parts) => {
  tired = false;
  closed = 0;
  await expect(checkOf(subject(sumDomain(parts)), check).run()).rejects.toThrow(says);
});

test('"looks the same" fails for a domain whose diagnostics depend on the reference', async () => {
  const twin = (total: number) => ({ terms: [1, 2], total });
  const withTotal = (row: unknown): Task<Sum> => {
    const task = parse(row);
    return { ...task, reference: { ...task.reference, total: Object(row).total ?? 3 } };
  };
  const run = (parts: Partial<Domain<Sum>>) => {
    const twins = [[twin(5704), twin(8)]] as const;
    return checkOf({ ...subject(sumDomain({ parse: withTotal, ...parts })), twins }, SAME).run();
  };
  await run({});
  const verdict: Domain<Sum>['verify'] = async (t, ...a) =>
    withDiagnostics(
      await verify(t, ...a),
      note(t.reference.total > 99 ? 'think bigger' : 'think smaller'),
    );
  await expect(run({ verify: verdict })).rejects.toThrow(/depends on the reference/);
});

test('a failed check never prints more than a screen of hostile text', async () => {
  const quoting: Domain<Sum>['verify'] = async (task, attempt, signal) => {
    if (attempt.text.length > 100_000) throw new RangeError(`cannot read ${attempt.text}`);
    return verify(task, attempt, signal);
  };
  const failure = await checkOf(subject(sumDomain({ verify: quoting })), HOSTILE)
    .run()
    .catch((error: unknown) => error);
  expect(inspect(failure)).toContain('must not reject: cannot read aaaa');
  expect(inspect(failure).length).toBeLessThan(6_000);
});

test('every check of the contract is tested with a domain that breaks it', () => {
  const broken = new Set(BROKEN.map(([check]) => `sums: ${check}`));
  const unbroken = domainContract(subject(sumDomain())).filter(({ name }) => !broken.has(name));
  expect(unbroken.map(({ name }) => name)).toEqual([`sums: ${SAME}`]);
});
