/**
 * What every verdict must look like, whatever was judged: its status and faults are known ones, what it says is data
 * and bounded. Also how two verdicts are compared: all of them but the times.
 */
import { strict as assert } from 'node:assert';
import { type Attempt, type Domain, FAULTS, STATUSES, type Task, type Verdict } from '../types.ts';

/** Most that a verdict may say. A domain caps what it quotes. */
export const BOUNDS = {
  diagnostics: 100,
  /** UTF-16 code units of one message. */
  message: 2_000,
  /** UTF-16 code units of a verdict as JSON. */
  total: 50_000,
  /** What a correction prompt may be longer than the task's own prompt and the attempt, however long the attempt was. */
  correction: 20_000,
} as const;

export const answer = (text: string, stop: Attempt['stop'] = 'end'): Attempt => ({ text, stop });

/** Every text and number inside a value, as texts. */
export function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'number' || typeof value === 'bigint') yield String(value);
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) yield* textsIn(inner);
}

/** @throws {AssertionError} saying what is out of shape */
export function assertVerdict(verdict: Verdict, about: string): void {
  const copy: unknown = JSON.parse(JSON.stringify(verdict));
  assert.deepEqual(copy, verdict, `${about}: a verdict must survive JSON`);
  assert.ok(JSON.stringify(verdict).length <= BOUNDS.total, `${about}: the verdict says too much`);
  if (verdict.kind === 'void') {
    assert.ok(FAULTS.includes(verdict.fault), `${about}: unknown fault ${verdict.fault}`);
    assert.equal(typeof verdict.detail, 'string', `${about}: a void verdict needs a detail`);
    assert.ok(!('passed' in verdict), `${about}: a void verdict must not carry passed`);
    return;
  }
  assert.equal(verdict.kind, 'judged', `${about}: neither judged nor void`);
  assert.ok(STATUSES.includes(verdict.status), `${about}: unknown status ${verdict.status}`);
  const passed = verdict.status === 'accepted';
  assert.equal(verdict.passed, passed, `${about}: passed must follow from the status`);
  for (const time of [verdict.cpuMs, verdict.wallMs])
    assert.ok(Number.isFinite(time) && time >= 0, `${about}: times must be finite, 0 or more`);
  assertDiagnostics(verdict.diagnostics, about);
}

function assertDiagnostics(
  diagnostics: Extract<Verdict, { kind: 'judged' }>['diagnostics'],
  about: string,
): void {
  assert.ok(diagnostics.length <= BOUNDS.diagnostics, `${about}: too many diagnostics`);
  for (const { code, audience, message, at } of diagnostics) {
    assert.match(code, /^[a-z][a-z0-9-]*$/, `${about}: codes are in kebab case`);
    assert.ok(['policy', 'operator'].includes(audience), `${about}: unknown audience ${audience}`);
    assert.ok(message.length > 0, `${about}: ${code} says nothing`);
    assert.ok(message.length <= BOUNDS.message, `${about}: the message of ${code} is too long`);
    if (at) assert.ok(at.line >= 1 && at.column >= 1, `${about}: places count from 1`);
  }
}

/** A verdict without its times: what must be the same every time. */
export function timeless(verdict: Verdict): unknown {
  if (verdict.kind === 'void') return { kind: 'void', fault: verdict.fault };
  const { cpuMs: _cpu, wallMs: _wall, ...rest } = verdict;
  return rest;
}

export const describe = (verdict: Verdict) => JSON.stringify(timeless(verdict)).slice(0, 500);

/** Judges, and fails by name where the domain rejects, answers out of shape, or does not answer. */
export async function judge<R>(
  domain: Domain<R>,
  task: Task<R>,
  attempt: Attempt,
  options: { readonly about: string; readonly patienceMs: number; readonly signal?: AbortSignal },
): Promise<Verdict> {
  const { about, patienceMs, signal } = options;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const problem = new Error(`${about}: no verdict within ${patienceMs} ms`);
    timer = setTimeout(() => reject(problem), patienceMs);
  });
  try {
    const verdict = await Promise.race([domain.verify(task, attempt, signal), late]);
    assertVerdict(verdict, about);
    return verdict;
  } catch (cause) {
    if (cause instanceof assert.AssertionError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    assert.fail(reason.startsWith(about) ? reason : `${about}: verify must not reject: ${reason}`);
  } finally {
    clearTimeout(timer);
  }
}
