/**
 * The checks on verdicts: correct and incorrect responses, repetition, parallel calls, hostile text, aborts and closing.
 * Every function throws an AssertionError that says what the domain did.
 */
import { strict as assert } from 'node:assert';
import type { Attempt, Domain, KnownResponses, Task, Verdict } from '../types.ts';
import { HOSTILE_TEXTS, type HostileText } from './hostile.ts';
import { describeVerdict, makeAttempt, verifyChecked, withoutTimes } from './verdicts.ts';

/** A domain under test with its tasks. */
export interface Bench<R> {
  readonly domain: Domain<R>;
  readonly tasks: readonly Task<R>[];
  readonly timeoutMs: number;
}

/** An attempt that takes long to judge. */
export interface SlowAttempt {
  readonly row: unknown;
  readonly text: string;
}

interface KnownTask<R> extends KnownResponses {
  readonly task: Task<R>;
}

/** The tasks whose correct and incorrect responses the domain knows. */
export function knownTasks<R>({ domain, tasks }: Bench<R>): readonly KnownTask<R>[] {
  const known = tasks.flatMap((task) => {
    const responses = domain.known?.(task);
    return responses ? [{ task, ...responses }] : [];
  });
  assert.ok(known.length > 0, 'the domain knows the correct response of no row: give it `known`');
  return known;
}

function verifyOn<R>(
  { domain, timeoutMs }: Bench<R>,
  task: Task<R>,
  attempt: Attempt,
  about: string,
  signal?: AbortSignal,
): Promise<Verdict> {
  return verifyChecked(domain, task, attempt, { about, timeoutMs, ...(signal && { signal }) });
}

function isAccepted(verdict: Verdict): boolean {
  return verdict.kind === 'judged' && verdict.passed;
}

async function assertAccepts<R>(bench: Bench<R>, known: KnownTask<R>, when: string) {
  const about = `the correct response of ${known.task.id}`;
  const verdict = await verifyOn(bench, known.task, makeAttempt(known.correct), about);
  assert.ok(isAccepted(verdict), `${about} ${when}: ${describeVerdict(verdict)}`);
}

/** Known correct responses are accepted, known incorrect ones are not. */
export async function checkKnownResponses<R>(bench: Bench<R>): Promise<void> {
  for (const known of knownTasks(bench)) {
    await assertAccepts(bench, known, 'must be accepted');
    const about = `the incorrect response of ${known.task.id}`;
    const verdict = await verifyOn(bench, known.task, makeAttempt(known.incorrect), about);
    const isRejected = verdict.kind === 'judged' && !verdict.passed;
    assert.ok(isRejected, `${about} must be rejected: ${describeVerdict(verdict)}`);
  }
}

interface NamedAttempt<R> {
  readonly task: Task<R>;
  readonly attempt: Attempt;
  readonly about: string;
}

/** Correct, incorrect, empty and truncated attempts of every known task. */
function sampleAttempts<R>(bench: Bench<R>): NamedAttempt<R>[] {
  return knownTasks(bench).flatMap(({ task, correct, incorrect }) => [
    { task, attempt: makeAttempt(correct), about: `the correct response of ${task.id}` },
    { task, attempt: makeAttempt(incorrect), about: `the incorrect response of ${task.id}` },
    { task, attempt: makeAttempt(''), about: `an empty response to ${task.id}` },
    {
      task,
      attempt: makeAttempt(incorrect.slice(0, incorrect.length / 2), 'length'),
      about: `half a response to ${task.id}`,
    },
  ]);
}

/** The same attempt gets the same verdict twice. */
export async function checkRepetition<R>(bench: Bench<R>): Promise<void> {
  for (const { task, attempt, about } of sampleAttempts(bench)) {
    const first = await verifyOn(bench, task, attempt, about);
    const second = await verifyOn(bench, task, attempt, about);
    const message = `${about}: another verdict the second time`;
    assert.deepEqual(withoutTimes(second), withoutTimes(first), message);
  }
}

/** How often every sample attempt is judged at the same time. */
const COPIES = 3;

/** An attempt judged in parallel with others gets the verdict that it gets alone. */
export async function checkParallelCalls<R>(bench: Bench<R>): Promise<void> {
  const alone: unknown[] = [];
  const attempts = sampleAttempts(bench);
  for (const { task, attempt, about } of attempts) {
    alone.push(withoutTimes(await verifyOn(bench, task, attempt, about)));
  }
  const copies = Array.from({ length: COPIES }, () => [...attempts.entries()]).flat();
  await Promise.all(
    copies.map(async ([i, { task, attempt, about }]) => {
      const verdict = withoutTimes(await verifyOn(bench, task, attempt, `${about}, in parallel`));
      assert.deepEqual(verdict, alone[i], `${about}: another verdict in parallel`);
    }),
  );
}

/** Judges every hostile text on the first task and on one more. Afterwards the domain must judge as before. */
export async function checkHostileText<R>(bench: Bench<R>, more: readonly string[]): Promise<void> {
  const { tasks } = bench;
  const own = more.map((text, i): HostileText => ({ name: `hostile[${i}] of the subject`, text }));
  for (const [i, hostile] of [...HOSTILE_TEXTS, ...own].entries()) {
    for (const task of new Set([tasks[0]!, tasks[i % tasks.length]!])) {
      await assertSurvives(bench, task, hostile);
    }
  }
  for (const known of knownTasks(bench)) {
    await assertAccepts(bench, known, 'must be accepted after hostile texts');
  }
}

async function assertSurvives<R>(bench: Bench<R>, task: Task<R>, { name, text }: HostileText) {
  const about = `${name}, on ${task.id}`;
  const verdict = await verifyOn(bench, task, makeAttempt(text), about);
  assert.ok(!isAccepted(verdict), `${about}: it must not be accepted`);
  // An attempt that can cause an infrastructure failure has found a way not to be judged.
  const fault = verdict.kind === 'void' ? verdict.fault : 'undecided';
  const message = `${about}: a text must not cause a fault: ${describeVerdict(verdict)}`;
  assert.equal(fault, 'undecided', message);
}

/** An aborted signal gives a void verdict. */
export async function checkAbortBefore<R>(bench: Bench<R>): Promise<void> {
  for (const { task, correct, incorrect } of knownTasks(bench)) {
    for (const text of [correct, incorrect, 'x']) {
      const about = `a response to ${task.id} with an aborted signal`;
      const signal = AbortSignal.abort();
      assertAborted(await verifyOn(bench, task, makeAttempt(text), about, signal), about);
    }
  }
}

function assertAborted(verdict: Verdict, about: string): void {
  const isAborted = verdict.kind === 'void' && verdict.fault === 'aborted';
  assert.ok(isAborted, `${about}: must be void, aborted, got ${describeVerdict(verdict)}`);
}

/** How long a slow attempt runs before it is aborted. */
const HEADSTART_MS = 200;

/**
 * An abort during judging gives `aborted`, or the verdict that was already due. Attempts judged beside it keep their
 * verdicts, and the domain keeps working.
 */
export async function checkAbortDuring<R>(
  bench: Bench<R>,
  slow: SlowAttempt | undefined,
): Promise<void> {
  for (const known of knownTasks(bench)) {
    const { task, correct } = known;
    const about = `the correct response of ${task.id}, aborted while it is judged`;
    const stop = new AbortController();
    const pending = verifyOn(bench, task, makeAttempt(correct), about, stop.signal);
    const neighbor = assertAccepts(bench, known, 'must be accepted beside an aborted one');
    stop.abort();
    const [verdict] = await Promise.all([pending, neighbor]);
    if (!isAccepted(verdict)) assertAborted(verdict, about);
  }
  if (slow) await assertStops(bench, slow);
  for (const known of knownTasks(bench)) {
    await assertAccepts(bench, known, 'must be accepted after an abort');
  }
}

async function assertStops<R>(bench: Bench<R>, slow: SlowAttempt): Promise<void> {
  const task = bench.domain.parse(slow.row);
  const stop = new AbortController();
  const about = 'a slow attempt, aborted while it ran';
  const pending = verifyOn(bench, task, makeAttempt(slow.text), about, stop.signal);
  const timer = setTimeout(() => stop.abort(), HEADSTART_MS);
  const verdict = await pending.finally(() => clearTimeout(timer));
  assertAborted(verdict, about);
}

/** Closes twice, once during a call. A later call must still return a verdict, and not an incorrect one. */
export async function checkClosing<R>(bench: Bench<R>): Promise<void> {
  const { domain } = bench;
  const [known] = knownTasks(bench);
  const { task, correct } = known!;
  const verify = (when: string) =>
    verifyOn(bench, task, makeAttempt(correct), `${task.id}, ${when}`);
  const close = async () => {
    await Promise.all([domain.close?.(), domain.close?.()]);
    await domain.close?.();
    return verify('after the close');
  };
  for (const verdict of await Promise.all([verify('during the close'), close()])) {
    const message = `a close must not make ${task.id} incorrect: ${describeVerdict(verdict)}`;
    assert.ok(verdict.kind === 'void' || verdict.passed, message);
  }
}
