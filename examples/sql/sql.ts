/** SQL: a question about tables, answered by a query, judged by what it returns from databases that the policy never sees. */
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
  /** Statements that make each database. On one alone a query could be right by chance. */
  readonly setups: readonly string[];
  readonly query: string;
  /** Is the order of the rows asked for? */
  readonly ordered: boolean;
}
const limits = { cpuMs: 1_000, wallMs: 20_000, rssMb: 256 };

/** Columns: `question`, `schema`, `data` (INSERTs, a text for each database), `query` (a right one), `ordered`. */
const parse: Domain<Sql>['parse'] = (row) => {
  const fields = Object(row);
  const text = (field: string, value = fields[field]) => {
    if (typeof value === 'string' && value.trim()) return value;
    throw new TaskError(field, 'must be a text that is not empty', value);
  };
  const [question, schema, query] = ['question', 'schema', 'query'].map((field) => text(field));
  const data: unknown = fields.data;
  if (!Array.isArray(data) || !data.length) throw new TaskError('data', 'must be a list', data);
  const setups = data.map((inserts) => `${schema};\n${text('data', inserts)}`);
  const content = `${schema}\n\n${question}\nAnswer with one SQLite query in a fenced \`\`\`sql block.`;
  const id = typeof fields.id === 'string' && fields.id ? fields.id : question!;
  const reference = { setups, query: query!, ordered: fields.ordered === true };
  return { id, domain: 'sql', prompt: [{ role: 'user', content }], reference };
};

function fenced(query: string) {
  return `\`\`\`sql\n${query}\n\`\`\``;
}

function ended(status: Status, message: string, times?: Times) {
  return judged(status, [{ code: status.replace('_', '-'), audience: 'policy', message }], times);
}

type Ran = { kind: 'ran'; rows: readonly (readonly string[])[]; times: Times };
/** What the child says of a query: the rows of each database, or why there are none. It is only ever data here. */
function read(value: unknown, times: Times): Verdict | Ran {
  const { rows, stage, message } = Object(value);
  if (Array.isArray(rows)) return { kind: 'ran', rows, times };
  if (stage === 'setup') return voided('bad-task', `a database cannot be made: ${message}`);
  if (/^(not authorized|authorization denied)/.test(message)) {
    return ended('sandbox_violation', message, times);
  }
  if (/too big|out of memory/.test(message)) return ended('memory_limit', message, times);
  if (/too long/.test(message)) return ended('output_limit', message, times);
  return ended(stage === 'compile' ? 'compile_error' : 'runtime_error', String(message), times);
}

export default function sqlDomain({ workers = 1, maxQueue }: DomainOptions = {}): Domain<Sql> {
  const pool = { threads: workers, ...(maxQueue !== undefined && { maxQueue }) };
  const cells = new JudgingCells({ entry: sibling(import.meta.url, './cell'), ...pool });
  const wanted = new WeakMap<Sql, Ran>();
  const run = ({ setups }: Sql, query: string, signal?: AbortSignal) =>
    cells.run({ payload: { setups, query }, limits, work: 'the query' }, read, signal);
  return {
    name: 'sql',
    parse,
    verify: async ({ reference }, { text }, signal) => {
      const [query = '', closed] = text.split('```sql').slice(1).at(-1)?.split('```') ?? [];
      if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
      if (closed === undefined || !query.trim() || query.length > 10_000) {
        return ended('unreadable_answer', 'no short query in a closed ```sql block');
      }
      const right = wanted.get(reference) ?? (await run(reference, reference.query, signal));
      if (right.kind === 'void') return right;
      if (right.kind !== 'ran') return voided('bad-task', `its own query ends in ${right.status}`);
      wanted.set(reference, right);
      const answer = await run(reference, query.trim(), signal);
      if (answer.kind !== 'ran') return answer;
      const key = ({ rows }: Ran) =>
        JSON.stringify(reference.ordered ? rows : rows.map((some) => some.toSorted()));
      if (key(answer) === key(right)) return judged('accepted', [], answer.times);
      return ended('wrong_answer', 'it runs, but does not return what was asked for', answer.times);
    },
    correction: (task, attempt, diagnostics) =>
      correctionTurns(task, attempt, diagnostics, {
        attempt: 'A colleague proposed this answer. It may be right or wrong.',
        notes: 'The database said:',
        ask: 'Check it against the tables and the question. Keep the query if it is right, else mend it. Answer with one SQLite query in a fenced ```sql block.',
      }),
    known: ({ reference: { query } }) => ({
      correct: fenced(query),
      incorrect: fenced("SELECT 'zzyzx'"),
    }),
    close: () => cells.close(),
  };
}
