import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { domainContract } from '@cipo/verifier/testing';
import { afterAll, describe, expect, test } from 'vitest';
import sqlDomain from './sql.ts';

const rows = readFileSync(new URL('rows.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
function fenced(query: string) {
  return `\`\`\`sql\n${query}\n\`\`\``;
}

const ENDLESS = 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)';
const folder = mkdtempSync(join(tmpdir(), 'cipo-sql-'));
afterAll(() => rmSync(folder, { recursive: true }));
const target = join(folder, 'out.db');

/** Attacks and their statuses. None reaches a file, a forbidden function or the next query. */
const HOSTILE: Readonly<Record<string, string>> = {
  [`${ENDLESS} SELECT count(*) FROM t`]: 'time_limit',
  [`${ENDLESS} SELECT n FROM t`]: 'output_limit',
  [`WITH RECURSIVE t(n, x) AS (SELECT 1, printf('%0900000d', 1) UNION SELECT n + 1, printf('%0900000d', n) FROM t)
    SELECT count(*) FROM (SELECT x FROM t ORDER BY x DESC)`]: 'memory_limit',
  "SELECT printf('%.*c', 900000000, 'x')": 'memory_limit',
  "SELECT replace(printf('%0999999d', 0), '0', '00')": 'memory_limit',
  'SELECT hex(randomblob(1000000000))': 'sandbox_violation',
  'SELECT zeroblob(1000000000)': 'sandbox_violation',
  "SELECT load_extension('libm.so.6')": 'sandbox_violation',
  "SELECT fts3_tokenizer('simple')": 'sandbox_violation',
  [`ATTACH '${target}' AS other`]: 'sandbox_violation',
  [`VACUUM INTO '${target}'`]: 'sandbox_violation',
  'PRAGMA temp_store_directory = "/tmp"': 'sandbox_violation',
  'SELECT * FROM pragma_database_list': 'sandbox_violation',
  'CREATE TABLE t (a)': 'sandbox_violation',
  'CREATE VIRTUAL TABLE t USING fts5(a)': 'sandbox_violation',
  'CREATE TEMP TRIGGER t AFTER INSERT ON customers BEGIN SELECT 1; END': 'sandbox_violation',
  'DELETE FROM customers': 'sandbox_violation',
  'WITH t AS (SELECT 1) UPDATE customers SET name = 1': 'sandbox_violation',
  'BEGIN EXCLUSIVE': 'sandbox_violation',
  'SELECT 1; DELETE FROM customers': 'compile_error',
  [`SELECT ${'('.repeat(4_000)}1${')'.repeat(4_000)}`]: 'compile_error',
  [`SELECT 1${' UNION SELECT 1'.repeat(500)}`]: 'compile_error',
  'SELECT abs(-9223372036854775808)': 'runtime_error',
  "SELECT readfile('/etc/passwd')": 'compile_error',
  '': 'unreadable_answer',
  [`SELECT '${'x'.repeat(20_000)}'`]: 'unreadable_answer',
};

describe('the SQL domain keeps the contract of all domains', () => {
  const domain = sqlDomain();
  const [shop] = rows;
  const subject = {
    domain,
    rows: [rows[0], rows[2], rows[10]],
    badRows: [
      { row: { ...shop, schema: undefined }, field: 'schema' },
      { row: { ...shop, data: 'INSERT' }, field: 'data' },
      { row: { ...shop, data: [''] }, field: 'data' },
      { row: { ...shop, query: ' ' }, field: 'query' },
    ],
    hostile: [fenced('SELECT * FROM customers'), '```sql\n'.repeat(30_000)],
    slow: { row: shop, text: fenced(`${ENDLESS} SELECT count(*) FROM t`) },
    secrets: () => ['Bergen', 'Turku', 'Holm', 'Ines'], // the data
    twins: [[shop, { ...shop, query: 'SELECT name, id FROM customers' }]] as const,
  };
  for (const check of domainContract(subject)) test(check.name, { timeout: 300_000 }, check.run);
});

describe('a query', () => {
  const domain = sqlDomain();
  afterAll(() => domain.close?.());
  const judge = (row: object, query: string) =>
    domain.verify(domain.parse(row), { text: fenced(query), stop: 'end' });
  const passes = async (row: object, query: string) => {
    const verdict = await judge(row, query);
    return verdict.kind === 'judged' ? verdict.passed : verdict;
  };
  const [perCity, spent, items] = rows;

  test('the reference query of every sample row is accepted', async () => {
    for (const row of rows) expect(await passes(row, row.query), row.id).toBe(true);
  });

  test('a query is judged by what it returns, not by its text', async () => {
    const other = 'SELECT city, sum(1) AS n FROM customers GROUP BY city HAVING city > ""; -- done';
    expect(await passes(perCity, other.replace('""', "''"))).toBe(true);
    expect(
      await passes(spent, spent.query.replace('coalesce(sum(o.price), 0)', 'total(o.price)')),
    ).toBe(true);
  });

  test('a query may return rows in any order, unless the row asks for one', async () => {
    expect(await passes(perCity, `${perCity.query} ORDER BY count(*) DESC, city`)).toBe(true);
    expect(await passes(perCity, `${perCity.query} ORDER BY city DESC`)).toBe(true);
    expect(await passes(items, 'SELECT DISTINCT item FROM orders ORDER BY item DESC')).toBe(false);
  });

  test('a query that is correct on only one of two databases is rejected', async () => {
    expect(await passes(perCity, "SELECT 'Bergen', 2 UNION SELECT 'Aarhus', 1")).toBe(false);
  });

  test('a query must return the same number of rows and columns and the same types', async () => {
    expect(await passes(perCity, perCity.query.replace('city, count(*)', 'city'))).toBe(false);
    expect(await passes(perCity, perCity.query.replace('count(*)', "count(*) || ''"))).toBe(false);
    expect(await passes(perCity, `${perCity.query} UNION ALL ${perCity.query}`)).toBe(false);
  });

  for (const [query, status] of Object.entries(HOSTILE)) {
    test(`the attack ${JSON.stringify(query.slice(0, 80))} ends with ${status}`, async () => {
      expect(await judge(perCity, query)).toMatchObject({ kind: 'judged', passed: false, status });
    });
  }

  test('the attacks have written no file and changed no data', async () => {
    expect(existsSync(target)).toBe(false);
    expect(await passes(perCity, perCity.query)).toBe(true);
  });

  test.each([
    ['a database that cannot be created', { data: ['INSERT INTO nowhere VALUES (1)'] }],
    ['a database that would open a file', { data: [`ATTACH '${target}' AS other`] }],
    ['a query that does not run', { query: 'SELECT nothing FROM nowhere' }],
    ['a query that does not end', { query: `${ENDLESS} SELECT count(*) FROM t` }],
  ])('a task with %s gets a void verdict', async (_what, fields) => {
    const verdict = await judge({ ...perCity, ...fields }, perCity.query);
    expect(verdict).toMatchObject({ kind: 'void', fault: 'bad-task' });
  });
});
