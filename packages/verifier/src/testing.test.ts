/** The contract itself: a good domain keeps it, and every check catches a domain that breaks it. */
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Adds numbers; right in every respect. `parts` are replaced one at a time to break it. */
function sums(parts: Partial<Domain<Sum>> = {}): Domain<Sum> {
  return {
    name: 'sums',
    parse,
    verify,
    correction: (task, attempt, diagnostics) => [
      ...task.prompt,
      { role: 'user', content: words(attempt, diagnostics) },
    ],
    known: ({ reference: { total } }) => ({ correct: String(total), incorrect: '-404' }),
    ...parts,
  };
}

function parse(row: unknown): Task<Sum> {
  const terms = typeof row === 'object' && row !== null && 'terms' in row ? row.terms : undefined;
  if (!Array.isArray(terms) || terms.length === 0 || !terms.every(Number.isSafeInteger))
    throw new TaskError('terms', 'must be whole numbers', terms);
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
  if (attempt.text === SLOW)
    await sleep(60_000, undefined, { signal, ref: false }).catch(() => undefined);
  if (signal?.aborted) return voided('aborted', 'asked to stop');
  await sleep(1);
  if (/^-?\d{1,9}$/.test(attempt.text.trim()))
    return judged(Number(attempt.text) === task.reference.total ? 'accepted' : 'wrong_answer', [
      { code: 'compared', audience: 'operator', message: `expected ${task.reference.total}` },
    ]);
  const message = 'The answer must be one number.';
  return judged('unreadable_answer', [{ code: 'unreadable-answer', audience: 'policy', message }]);
}

const words = (attempt: Attempt, diagnostics: readonly Diagnostic[]) =>
  `Look again: ${attempt.text.slice(0, 1_000)}\n${diagnostics.map((d) => d.message).join('\n')}`;

const rows = [{ terms: [1203, 4501] }, { terms: [7_070, -11] }];
const subject = (domain: Domain<Sum>): ContractSubject<Sum> => ({
  domain,
  rows,
  badRows: [{ row: { terms: [1.5] }, field: 'terms' }],
  slow: { row: rows[0], text: SLOW },
  hostile: ['five thousand'],
  patienceMs: 2_000,
});

/** The check of that name, without its domain's. */
const checkOf = (subject: ContractSubject<Sum>, name: string) =>
  domainContract(subject).find((check) => check.name === `sums: ${name}`)!;

test.each(domainContract(subject(sums())))('a good domain passes: $name', ({ run }) => run());

const said = (verdict: Verdict, ...more: Diagnostic[]): Verdict =>
  verdict.kind === 'void'
    ? verdict
    : { ...verdict, diagnostics: [...verdict.diagnostics, ...more] };

let calls = 0;
let running = 0;
let tired = false;
let closed = 0;
const told = (message: string, details?: Record<string, unknown>): Diagnostic => ({
  code: 'note',
  audience: 'policy',
  message,
  ...(details && { details }),
});

const PARSES = 'parses its rows into tasks of its own name, each with an id';
const REFUSES = 'refuses rows it cannot read and names the field';
const DAMAGED = 'answers a damaged row with a task or a TaskError';
const KNOWN = 'accepts its known right answer and rejects its known wrong one';
const REPEATS = 'gives the same verdict on the same attempt';
const PARALLEL = 'gives the same verdicts to many at once';
const HOSTILE = 'judges hostile text, passes none, and works on after it';
const BEFORE = 'honours an abort before it begins: void, never a judgement';
const DURING = 'honours an abort while it judges, and works on after it';
const LEAKS = 'leaks no reference into what the policy may see';
const SAME = 'looks the same to the policy whatever the reference';
const ALIKE = 'words the correction of a right attempt and of a wrong one alike';
const CLOSES = 'closes twice, and answers what is asked afterwards';

/** The check that must fail, what the domain does, what the check must say of it. */
const BROKEN: readonly (readonly [string, string, string, Partial<Domain<Sum>>])[] = [
  [
    PARSES,
    'forgets its name',
    'carry the name',
    { parse: (row) => ({ ...parse(row), domain: 'other' }) },
  ],
  [
    PARSES,
    'gives every task one id',
    'tell rows apart',
    { parse: (row) => ({ ...parse(row), id: '0' }) },
  ],
  [
    PARSES,
    'numbers its tasks',
    'same task every time',
    { parse: (row) => ({ ...parse(row), id: `${calls++}` }) },
  ],
  [PARSES, 'asks nothing', 'needs a prompt', { parse: (row) => ({ ...parse(row), prompt: [] }) }],
  [
    PARSES,
    'changes its rows',
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
    'takes everything',
    'must be refused',
    { parse: (row) => parse(Array.isArray(Object(row).terms) ? row : rows[0]) },
  ],
  [
    REFUSES,
    'names another field',
    'field at fault',
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
    'trips over the type of a field',
    'with a TaskError',
    {
      parse(row) {
        const { terms } = Object(row);
        return parse(terms && { terms: terms.map((term: number) => term.valueOf()) });
      },
    },
  ],
  [KNOWN, 'passes nothing', 'must be accepted', { verify: async () => judged('wrong_answer') }],
  [KNOWN, 'passes everything', 'must be rejected', { verify: async () => judged('accepted') }],
  [KNOWN, 'knows nothing', 'give it `known`', { known: () => undefined }],
  [
    KNOWN,
    'passes with a failing status',
    'follow from the status',
    {
      verify: async () => ({ ...judged('crashed'), passed: true }),
    },
  ],
  [
    REPEATS,
    'counts',
    'the second time',
    { verify: async (...a) => said(await verify(...a), told(`${calls++}`)) },
  ],
  [
    PARALLEL,
    'mixes up what runs side by side',
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
    'reads a number in anything',
    'must not pass',
    {
      verify: async (task, attempt, signal) =>
        attempt.text === 'five thousand' ? judged('accepted') : verify(task, attempt, signal),
    },
  ],
  [
    HOSTILE,
    'lets an attempt excuse itself',
    'must not cause a fault',
    {
      verify: async (task, attempt, signal) =>
        attempt.text.length > 10_000 ? voided('infra', '?') : verify(task, attempt, signal),
    },
  ],
  [
    HOSTILE,
    'never answers some texts',
    'no verdict within',
    {
      verify: (task, attempt, signal) =>
        attempt.text.startsWith('[[') ? new Promise(() => {}) : verify(task, attempt, signal),
    },
  ],
  [
    HOSTILE,
    'quotes without end',
    'is too long',
    { verify: async (t, a, s) => said(await verify(t, a, s), told(`not a number: ${a.text}`)) },
  ],
  [
    HOSTILE,
    'is worn out by hostile text',
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
    'never looks at the signal',
    'must be void, aborted',
    { verify: (task, attempt) => verify(task, attempt) },
  ],
  [
    DURING,
    'judges what was stopped',
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
    'looks at the signal only once',
    'no verdict within',
    {
      verify: async (task, attempt, signal) =>
        signal?.aborted ? voided('aborted', '') : verify(task, attempt),
    },
  ],
  [
    LEAKS,
    'names the total in the prompt',
    'gives the answer away',
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
    'tells the total',
    'the policy can read',
    { verify: async (t, ...a) => said(await verify(t, ...a), told(`not ${t.reference.total}`)) },
  ],
  [
    LEAKS,
    'tells the total in the details',
    'the policy can read',
    {
      verify: async (t, ...a) =>
        said(await verify(t, ...a), told('no', { wanted: { total: t.reference.total } })),
    },
  ],
  [
    LEAKS,
    'tells the total in the correction',
    'the policy can read',
    {
      correction: (task, attempt) => [
        { role: 'user', content: `${attempt.text.slice(0, 1000)}? It is ${task.reference.total}.` },
      ],
    },
  ],
  [
    ALIKE,
    'tells the verdict',
    'tells a right attempt',
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
    'shows the whole attempt however long',
    'a correction prompt of',
    { correction: (_, attempt) => [{ role: 'user', content: attempt.text }] },
  ],
  [
    CLOSES,
    'can be closed once only',
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
  await expect(checkOf(subject(sums(parts)), check).run()).rejects.toThrow(says);
});

test('"looks the same" fails for a domain whose words depend on the reference', async () => {
  const twin = (total: number) => ({ terms: [1, 2], total });
  const withTotal = (row: unknown): Task<Sum> => {
    const task = parse(row);
    return { ...task, reference: { ...task.reference, total: Object(row).total ?? 3 } };
  };
  const run = (parts: Partial<Domain<Sum>>) => {
    const twins = [[twin(5704), twin(8)]] as const;
    return checkOf({ ...subject(sums({ parse: withTotal, ...parts })), twins }, SAME).run();
  };
  await run({});
  const verdict: Domain<Sum>['verify'] = async (t, ...a) =>
    said(await verify(t, ...a), told(t.reference.total > 99 ? 'think bigger' : 'think smaller'));
  await expect(run({ verify: verdict })).rejects.toThrow(/depends on the reference/);
});

test('every check has a domain that breaks it', () => {
  const broken = new Set(BROKEN.map(([check]) => `sums: ${check}`));
  const unbroken = domainContract(subject(sums())).filter(({ name }) => !broken.has(name));
  expect(unbroken.map(({ name }) => name)).toEqual([`sums: ${SAME}`]);
});
