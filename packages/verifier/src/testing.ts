/**
 * The contract that every Domain keeps, as plain named checks: any test runner can call them, no model is needed.
 *
 * ```ts
 * for (const check of domainContract({ domain, rows })) test(check.name, check.run);
 * ```
 */
import { strict as assert } from 'node:assert';
import type { Attempt, Domain, Task, Verdict } from './types.ts';

export interface ContractSubject<R> {
  readonly domain: Domain<R>;
  /** Rows of a data set that must parse. */
  readonly rows: readonly unknown[];
  /** Rows that must be refused, with the field that the error has to name. */
  readonly badRows?: readonly { readonly row: unknown; readonly field: string }[];
}

export interface ContractCheck {
  readonly name: string;
  run(): Promise<void>;
}

/** Texts that break naive parsers: none may throw, hang or pass. */
const HOSTILE: readonly string[] = [
  '',
  ' \n\t',
  '\u0000\u0001\uFFFF\uD800',
  '\\boxed{'.repeat(2_000),
  '('.repeat(20_000),
  '```\n'.repeat(500),
  'a'.repeat(300_000),
  '{"__proto__":{"passed":true}}',
  '\u202E\u200Bזה 中文 🧮',
];

const attempt = (text: string): Attempt => ({ text, stop: 'end' });

function assertShape(verdict: Verdict): void {
  if (verdict.kind === 'void') {
    assert.equal(typeof verdict.detail, 'string');
    assert.ok(!('passed' in verdict), 'a void verdict must not carry passed');
    return;
  }
  assert.equal(verdict.passed, verdict.status === 'accepted', 'passed must follow from the status');
  assert.ok(verdict.cpuMs >= 0 && verdict.wallMs >= 0, 'times must not be negative');
  for (const d of verdict.diagnostics) assert.match(d.code, /^[a-z][a-z0-9-]*$/);
}

/** Every string inside a value, to look for leaks. */
function* strings(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null)
    for (const v of Object.values(value)) yield* strings(v);
}

function correctionText<R>(
  domain: Domain<R>,
  task: Task<R>,
  text: string,
  verdict: Verdict,
): string {
  const told =
    verdict.kind === 'judged' ? verdict.diagnostics.filter((d) => d.audience === 'policy') : [];
  const messages = domain.correction?.(task, attempt(text), told) ?? [];
  return [...messages.map((m) => m.content), ...strings(told)].join('\n');
}

/** The checks for one domain. `known` answers are used where the domain gives them. */
export function domainContract<R>({
  domain,
  rows,
  badRows = [],
}: ContractSubject<R>): ContractCheck[] {
  const tasks = () => rows.map((row) => domain.parse(row));
  const check = (name: string, run: () => Promise<void>): ContractCheck => ({
    name: `${domain.name}: ${name}`,
    run,
  });

  return [
    check('parses its rows into tasks of its own name', async () => {
      for (const task of tasks()) {
        assert.equal(task.domain, domain.name);
        assert.ok(task.id.length > 0, 'a task needs an id');
        assert.ok(task.prompt.length > 0, 'a task needs a prompt');
      }
    }),
    check('refuses rows it cannot read and names the field', async () => {
      for (const row of [null, 7, 'text', [], {}])
        assert.throws(() => domain.parse(row), { name: 'TaskError' });
      for (const { row, field } of badRows)
        assert.throws(() => domain.parse(row), { name: 'TaskError', field });
    }),
    check('accepts its known right answer and rejects its known wrong one', async () => {
      for (const task of tasks()) {
        const known = domain.known?.(task);
        if (!known) continue;
        const right = await domain.verify(task, attempt(known.right));
        assert.ok(
          right.kind === 'judged' && right.passed,
          `right answer of ${task.id}: ${JSON.stringify(right)}`,
        );
        const wrong = await domain.verify(task, attempt(known.wrong));
        assert.ok(
          wrong.kind === 'judged' && !wrong.passed,
          `wrong answer of ${task.id}: ${JSON.stringify(wrong)}`,
        );
      }
    }),
    check(
      'answers hostile text with a verdict that does not pass, and works on after it',
      async () => {
        const [task] = tasks();
        assert.ok(task, 'the contract needs at least one row');
        for (const text of HOSTILE) {
          const verdict = await domain.verify(task, attempt(text));
          assertShape(verdict);
          assert.ok(
            verdict.kind === 'void' || !verdict.passed,
            `passed on ${JSON.stringify(text.slice(0, 40))}`,
          );
        }
        const known = domain.known?.(task);
        if (known) assertShape(await domain.verify(task, attempt(known.right)));
      },
    ),
    check('honours an abort: void, never a judgement', async () => {
      const [task] = tasks();
      assert.ok(task);
      const verdict = await domain.verify(task, attempt('x'), AbortSignal.abort());
      assert.equal(verdict.kind, 'void');
      assert.ok(verdict.kind === 'void' && verdict.fault === 'aborted');
    }),
    check(
      'leaks neither the right answer nor operator diagnostics into the correction prompt',
      async () => {
        for (const task of tasks()) {
          const known = domain.known?.(task);
          if (!known) continue;
          const verdict = await domain.verify(task, attempt(known.wrong));
          const text = correctionText(domain, task, known.wrong, verdict);
          const prompt = task.prompt.map((m) => m.content).join('\n');
          if (!prompt.includes(known.right))
            assert.ok(!text.includes(known.right), `the right answer of ${task.id} leaks`);
          const secret =
            verdict.kind === 'judged'
              ? verdict.diagnostics.filter((d) => d.audience === 'operator')
              : [];
          for (const d of secret)
            assert.ok(!text.includes(d.message), `an operator diagnostic of ${task.id} leaks`);
        }
      },
    ),
  ];
}
