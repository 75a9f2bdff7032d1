/** SQL: a question about tables, answered by a query. The query is judged by its results on databases that the policy never sees. */
import { JudgingCells, sibling, type Times } from '@cipo/verifier/cells';
import { correctionTurns } from '@cipo/verifier/correction';
import type { DomainOptions } from '@cipo/verifier/domains';
import {
  type Domain,
  judged,
  type Status,
  TaskError,
  type Verdict,
  voided,
} from '@cipo/verifier/types';

interface Sql {
  /** The statements that create each database. On a single one, a query could be correct by chance. */
  readonly setups: readonly string[];
  readonly query: string;
  /** Whether the order of the rows matters. */
  readonly ordered: boolean;
}
const limits = { cpuMs: 1_000, wallMs: 20_000, rssMb: 256 };

/** Reads the columns `question`, `schema`, `data` (one text of INSERTs per database), `query` (a correct one), `ordered`. */
const parse: Domain<Sql>['parse'] = (row) => {
  const fields = Object(row);
  const text = (field: string, value = fields[field]) => {
    if (typeof value === 'string' && value.trim()) return value;
    throw new TaskError(field, 'expected text', value);
  };
  const [question, schema, query] = ['question', 'schema', 'query'].map((field) => text(field));
  const data: unknown = fields.data;
  if (!Array.isArray(data) || !data.length) throw new TaskError('data', 'expected a list', data);
  const setups = data.map((inserts) => `${schema};\n${text('data', inserts)}`);
  const content = `${schema}\n\n${question}\nAnswer with one SQLite query in a fenced \`\`\`sql block.`;
  const id = typeof fields.id === 'string' && fields.id ? fields.id : question!;
  const reference = { setups, query: query!, ordered: fields.ordered === true };
  return { id, domain: 'sql', prompt: [{ role: 'user', content }], reference };
};

function fenced(query: string) {
  return `\`\`\`sql\n${query}\n\`\`\``;
}

function judgeWith(status: Status, message: string, times?: Times) {
  return judged(status, [{ code: status.replace('_', '-'), audience: 'policy', message }], times);
}

type Ran = { kind: 'ran'; rows: readonly (readonly string[])[]; times: Times };
/** Reads the answer of the child, which is untrusted data: the rows of each database, or the reason why there are none. */
function read(value: unknown, times: Times): Verdict | Ran {
  const { rows, stage, message } = Object(value);
  if (Array.isArray(rows)) return { kind: 'ran', rows, times };
  if (stage === 'setup') return voided('bad-task', `a database cannot be created: ${message}`);
  if (/^(not authorized|authorization denied)/.test(message)) {
    return judgeWith('sandbox_violation', message, times);
  }
  if (/too big|out of memory/.test(message)) return judgeWith('memory_limit', message, times);
  if (/too long/.test(message)) return judgeWith('output_limit', message, times);
  return judgeWith(stage === 'compile' ? 'compile_error' : 'runtime_error', String(message), times);
}

export default function sqlDomain({ workers = 1, maxQueue }: DomainOptions = {}): Domain<Sql> {
  const pool = { threads: workers, ...(maxQueue !== undefined && { maxQueue }) };
  const cells = new JudgingCells({ entry: sibling(import.meta.url, './cell'), ...pool });
  const expectedRows = new WeakMap<Sql, Ran>();
  const run = ({ setups }: Sql, query: string, signal?: AbortSignal) =>
    cells.run({ payload: { setups, query }, limits, work: 'the query' }, read, signal);
  return {
    name: 'sql',
    parse,
    verify: async ({ reference }, { text }, signal) => {
      const [query = '', closed] = text.split('```sql').slice(1).at(-1)?.split('```') ?? [];
      if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
      if (closed === undefined || !query.trim() || query.length > 10_000) {
        return judgeWith('unreadable_answer', 'no short query in a closed ```sql block');
      }
      const expected =
        expectedRows.get(reference) ?? (await run(reference, reference.query, signal));
      if (expected.kind === 'void') return expected;
      if (expected.kind !== 'ran')
        return voided('bad-task', `the reference query ends with ${expected.status}`);
      expectedRows.set(reference, expected);
      const answer = await run(reference, query.trim(), signal);
      if (answer.kind !== 'ran') return answer;
      const key = ({ rows }: Ran) =>
        JSON.stringify(reference.ordered ? rows : rows.map((some) => some.toSorted()));
      if (key(answer) === key(expected)) return judged('accepted', [], answer.times);
      return judgeWith(
        'wrong_answer',
        'the query runs, but returns other rows than expected',
        answer.times,
      );
    },
    correction: (task, attempt, diagnostics) =>
      correctionTurns(task, attempt, diagnostics, {
        attempt: 'This is an earlier answer. It may be correct or not.',
        notes: 'The database said:',
        ask: 'Check it against the tables and the question. Keep the query if it is correct, else correct it. Answer with one SQLite query in a fenced ```sql block.',
      }),
    known: ({ reference: { query } }) => ({
      correct: fenced(query),
      incorrect: fenced("SELECT 'zzyzx'"),
    }),
    close: () => cells.close(),
  };
}
