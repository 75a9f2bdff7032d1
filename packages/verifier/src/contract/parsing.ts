/** The checks on rows: good rows parse, bad rows are refused, and damaged rows parse or throw a TaskError. */
import { strict as assert } from 'node:assert';
import { isRecord } from '@cipo/support';
import { type Domain, preview, type Task } from '../types.ts';
import { HOSTILE_VALUES } from './hostile.ts';

const ROLES = ['system', 'user', 'assistant'];

/** A row that must be refused, and the field that the error must name. */
export interface BadRow {
  readonly row: unknown;
  readonly field: string;
}

/** Rows become tasks, the same ones every time, and are not modified. */
export function checkRows<R>(domain: Domain<R>, rows: readonly unknown[]): void {
  assert.ok(rows.length > 0, 'the contract needs at least one row');
  const ids = rows.map((row) => {
    const task = domain.parse(deepFreeze(structuredClone(row)));
    assertTask(domain, task);
    const message = `${task.id}: the same row must give the same task every time`;
    assert.deepEqual(domain.parse(row), task, message);
    return task.id;
  });
  assert.equal(new Set(ids).size, ids.length, `ids must be unique: ${ids.join(', ')}`);
}

function assertTask<R>(domain: Domain<R>, task: Task<R>): void {
  assert.equal(task.domain, domain.name, 'a task must have the name of its domain');
  assert.ok(typeof task.id === 'string' && task.id.length > 0, 'a task needs an id');
  assert.ok(task.prompt.length > 0, `${task.id}: a task needs a prompt`);
  for (const { role, content } of task.prompt) {
    assert.ok(ROLES.includes(role), `${task.id}: unknown role ${role}`);
    assert.ok(typeof content === 'string' && content.length > 0, `${task.id}: an empty message`);
  }
}

/** Values that are not rows are refused, and bad rows are refused with the name of their field. */
export function checkBadRows(domain: Domain, badRows: readonly BadRow[]): void {
  for (const row of [null, undefined, 7, 'text', [], {}]) {
    assert.ok(refusedField(domain, row) !== undefined, `${preview(row)} must be refused`);
  }
  for (const { row, field } of badRows) {
    const message = `${preview(row)} must be refused for the field ${field}`;
    assert.equal(refusedField(domain, row), field, message);
  }
}

/** A row with one damaged field gives a task or a TaskError, and changes nothing in the process. */
export function checkDamagedRows(domain: Domain, rows: readonly unknown[]): void {
  for (const row of rows.filter(isRecord)) {
    for (const key of [...Object.keys(row), '__proto__']) {
      for (const value of HOSTILE_VALUES) refusedField(domain, withField(row, key, value));
    }
  }
  assert.ok(!('passed' in {}), 'a row has changed the prototype of all objects');
}

function withField(row: object, key: string, value: unknown): unknown {
  const copy = { ...row };
  Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}

/** The field that a row is refused for; undefined if it parses. Fails on every error but a TaskError. */
function refusedField(domain: Domain, row: unknown): string | undefined {
  try {
    domain.parse(row);
    return undefined;
  } catch (error) {
    const { name, message, field } = error as { name: string; message: string; field?: unknown };
    const keys = preview(isRecord(row) ? Object.keys(row) : row);
    assert.equal(name, 'TaskError', `${keys} must be refused with a TaskError, got ${message}`);
    assert.ok(typeof field === 'string' && field !== '', 'a TaskError must name the field');
    assert.ok(message.startsWith(field), `the message must start with the field: ${message}`);
    return field;
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
