/** The part of the contract about rows: what must parse, what must be refused, and that nothing else can happen. */
import { strict as assert } from 'node:assert';
import { type Domain, preview, type Task } from '../types.ts';
import { HOSTILE_VALUES } from './hostile.ts';

const ROLES = ['system', 'user', 'assistant'];

/** Rows become tasks, the same ones every time, and are left as they were. */
export function parsesItsRows<R>(domain: Domain<R>, rows: readonly unknown[]): void {
  assert.ok(rows.length > 0, 'the contract needs at least one row');
  const ids = rows.map((row) => {
    const task = domain.parse(frozen(structuredClone(row)));
    assertTask(domain, task);
    assert.deepEqual(
      domain.parse(row),
      task,
      `${task.id}: the same row must give the same task every time`,
    );
    return task.id;
  });
  assert.equal(new Set(ids).size, ids.length, `ids must tell rows apart: ${ids.join(', ')}`);
}

function assertTask<R>(domain: Domain<R>, task: Task<R>): void {
  assert.equal(task.domain, domain.name, 'a task must carry the name of its domain');
  assert.ok(typeof task.id === 'string' && task.id.length > 0, 'a task needs an id');
  assert.ok(task.prompt.length > 0, `${task.id}: a task needs a prompt`);
  for (const { role, content } of task.prompt) {
    assert.ok(ROLES.includes(role), `${task.id}: unknown role ${role}`);
    assert.ok(typeof content === 'string' && content.length > 0, `${task.id}: an empty message`);
  }
}

/** What is no row is refused, and what is a bad one is refused by the name of its field. */
export function refusesBadRows(
  domain: Domain,
  badRows: readonly { readonly row: unknown; readonly field: string }[],
): void {
  for (const row of [null, undefined, 7, 'text', [], {}]) {
    const field = refusal(domain, row);
    assert.ok(field !== undefined, `${preview(row)} must be refused`);
  }
  for (const { row, field } of badRows)
    assert.equal(refusal(domain, row), field, `the field at fault in ${preview(row)}`);
}

/** Rows with one field damaged: each is a task or a TaskError, and the process is as it was before. */
export function survivesDamagedRows(domain: Domain, rows: readonly unknown[]): void {
  for (const row of rows) {
    if (typeof row !== 'object' || row === null) continue;
    for (const key of [...Object.keys(row), '__proto__'])
      for (const value of HOSTILE_VALUES) refusal(domain, damaged(row, key, value));
  }
  assert.ok(!('passed' in {}), 'a row has changed the prototype of all objects');
}

function damaged(row: object, key: string, value: unknown): unknown {
  const copy = { ...row };
  Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}

/** The field that a row is refused for; undefined where it parses. Any other error fails. */
function refusal(domain: Domain, row: unknown): string | undefined {
  try {
    domain.parse(row);
    return undefined;
  } catch (error) {
    const { name, message, field } = error as { name: string; message: string; field?: unknown };
    assert.equal(name, 'TaskError', `${safely(row)} must be refused with a TaskError: ${message}`);
    assert.ok(typeof field === 'string' && field !== '', 'a TaskError must name the field');
    assert.ok(message.startsWith(field), `the message must begin with the field: ${message}`);
    return field;
  }
}

const safely = (row: unknown) => preview(typeof row === 'object' ? Object.keys(row ?? {}) : row);

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
