/**
 * What every verdict must look like: a known status or fault, diagnostics that are plain data, bounded size.
 * Also compares verdicts without their times.
 */
import { strict as assert } from 'node:assert';
import { errorMessage } from '@cipo/support';
import {
  type Attempt,
  type Domain,
  FAULTS,
  type Judged,
  STATUSES,
  type Task,
  type Verdict,
} from '../types.ts';

/** Largest verdict and correction prompt. A domain must shorten what it quotes. Characters are UTF-16 code units. */
export const BOUNDS = {
  diagnostics: 100,
  messageChars: 2_000,
  /** Of a verdict as JSON. */
  verdictChars: 50_000,
  /** Of a correction prompt beyond the task's own prompt, however long the attempt was. */
  correctionChars: 20_000,
} as const;

/** An attempt with this text. */
export function makeAttempt(text: string, stop: Attempt['stop'] = 'end'): Attempt {
  return { text, stop };
}

/** Every string and number inside a value, as strings. */
export function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'number' || typeof value === 'bigint') yield String(value);
  else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) yield* textsIn(inner);
  }
}

/** @throws {AssertionError} naming what is malformed */
function assertVerdict(verdict: Verdict, about: string): void {
  const copy: unknown = JSON.parse(JSON.stringify(verdict));
  assert.deepEqual(copy, verdict, `${about}: a verdict must survive JSON`);
  const chars = JSON.stringify(verdict).length;
  const most = BOUNDS.verdictChars;
  assert.ok(
    chars <= most,
    `${about}: expected a verdict of at most ${most} characters, got ${chars}`,
  );
  if (verdict.kind === 'void') {
    assert.ok(FAULTS.includes(verdict.fault), `${about}: unknown fault ${verdict.fault}`);
    assert.equal(typeof verdict.detail, 'string', `${about}: a void verdict needs a detail`);
    assert.ok(!('passed' in verdict), `${about}: a void verdict must not have passed`);
    return;
  }
  assert.equal(verdict.kind, 'judged', `${about}: expected a judged or void verdict`);
  assert.ok(STATUSES.includes(verdict.status), `${about}: unknown status ${verdict.status}`);
  const passed = verdict.status === 'accepted';
  assert.equal(verdict.passed, passed, `${about}: passed must follow from the status`);
  for (const time of [verdict.cpuMs, verdict.wallMs]) {
    assert.ok(
      Number.isFinite(time) && time >= 0,
      `${about}: times must be finite and not negative`,
    );
  }
  assertDiagnostics(verdict.diagnostics, about);
}

function assertDiagnostics(diagnostics: Judged['diagnostics'], about: string): void {
  assert.ok(diagnostics.length <= BOUNDS.diagnostics, `${about}: too many diagnostics`);
  for (const { code, audience, message, at } of diagnostics) {
    assert.match(code, /^[a-z][a-z0-9-]*$/, `${about}: codes must be in kebab case`);
    assert.ok(['policy', 'operator'].includes(audience), `${about}: unknown audience ${audience}`);
    assert.ok(message.length > 0, `${about}: the message of ${code} is empty`);
    assert.ok(
      message.length <= BOUNDS.messageChars,
      `${about}: the message of ${code} is too long`,
    );
    if (at) assert.ok(at.line >= 1 && at.column >= 1, `${about}: lines and columns count from 1`);
  }
}

/** A verdict without its times: what must be the same on every run. */
export function withoutTimes(verdict: Verdict): unknown {
  if (verdict.kind === 'void') return { kind: 'void', fault: verdict.fault };
  const { cpuMs: _cpu, wallMs: _wall, ...rest } = verdict;
  return rest;
}

/** A verdict as JSON for a failure message, cut at 500 characters. */
export function describeVerdict(verdict: Verdict): string {
  return JSON.stringify(withoutTimes(verdict)).slice(0, 500);
}

/** How {@link verifyChecked} judges: what it names in failures, how long it waits, and the signal. */
interface VerifyOptions {
  readonly about: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Judges an attempt. Fails if the domain rejects, returns a malformed verdict, or does not answer in time. */
export async function verifyChecked<R>(
  domain: Domain<R>,
  task: Task<R>,
  attempt: Attempt,
  { about, timeoutMs, signal }: VerifyOptions,
): Promise<Verdict> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const problem = new Error(`${about}: no verdict within ${timeoutMs} ms`);
    timer = setTimeout(() => reject(problem), timeoutMs);
  });
  try {
    const verdict = await Promise.race([domain.verify(task, attempt, signal), late]);
    assertVerdict(verdict, about);
    return verdict;
  } catch (cause) {
    if (cause instanceof assert.AssertionError) throw cause;
    const reason = errorMessage(cause);
    assert.fail(reason.startsWith(about) ? reason : `${about}: verify must not reject: ${reason}`);
  } finally {
    clearTimeout(timer);
  }
}
