/**
 * The part of the contract about verdicts: right and wrong, the same every time and in any company, on hostile text,
 * when stopped, and when closed. Every function throws an AssertionError that says what the domain did.
 */
import { strict as assert } from 'node:assert';
import type { Attempt, Domain, Task, Verdict } from '../types.ts';
import { HOSTILE_TEXTS, type HostileText } from './hostile.ts';
import { answer, describe, judge, timeless } from './verdicts.ts';

/** A domain under test with its tasks. */
export interface Bench<R> {
  readonly domain: Domain<R>;
  readonly tasks: readonly Task<R>[];
  readonly patienceMs: number;
}

interface KnownTask<R> {
  readonly task: Task<R>;
  readonly correct: string;
  readonly incorrect: string;
}

export function knownTasks<R>({ domain, tasks }: Bench<R>): readonly KnownTask<R>[] {
  const known = tasks.flatMap((task) => {
    const answers = domain.known?.(task);
    return answers ? [{ task, ...answers }] : [];
  });
  assert.ok(known.length > 0, 'the domain knows the right answer of no row: give it `known`');
  return known;
}

const verdictOn = <R>(
  { domain, patienceMs }: Bench<R>,
  task: Task<R>,
  attempt: Attempt,
  about: string,
  signal?: AbortSignal,
) => judge(domain, task, attempt, { about, patienceMs, ...(signal && { signal }) });

const passed = (verdict: Verdict) => verdict.kind === 'judged' && verdict.passed;

async function accepts<R>(bench: Bench<R>, { task, correct }: KnownTask<R>, when: string) {
  const verdict = await verdictOn(bench, task, answer(correct), `the right answer of ${task.id}`);
  assert.ok(passed(verdict), `right answer of ${task.id} ${when}: ${describe(verdict)}`);
}

export async function tellsRightFromWrong<R>(bench: Bench<R>): Promise<void> {
  for (const known of knownTasks(bench)) {
    const { task, incorrect } = known;
    await accepts(bench, known, 'must be accepted');
    const verdict = await verdictOn(
      bench,
      task,
      answer(incorrect),
      `the wrong answer of ${task.id}`,
    );
    const rejected = verdict.kind === 'judged' && !verdict.passed;
    assert.ok(rejected, `wrong answer of ${task.id} must be rejected: ${describe(verdict)}`);
  }
}

/** Attempts of every sort: right, wrong, empty, cut off. */
function attemptsOn<R>(bench: Bench<R>): { task: Task<R>; attempt: Attempt; about: string }[] {
  return knownTasks(bench).flatMap(({ task, correct, incorrect }) => [
    { task, attempt: answer(correct), about: `the right answer of ${task.id}` },
    { task, attempt: answer(incorrect), about: `the wrong answer of ${task.id}` },
    { task, attempt: answer(''), about: `an empty answer to ${task.id}` },
    {
      task,
      attempt: answer(incorrect.slice(0, incorrect.length / 2), 'length'),
      about: `half an answer to ${task.id}`,
    },
  ]);
}

export async function repeatsItsVerdicts<R>(bench: Bench<R>): Promise<void> {
  for (const { task, attempt, about } of attemptsOn(bench)) {
    const [one, other] = [
      await verdictOn(bench, task, attempt, about),
      await verdictOn(bench, task, attempt, about),
    ];
    assert.deepEqual(timeless(other), timeless(one), `${about}: another verdict the second time`);
  }
}

const COPIES = 3;

/** What is judged beside many others gets the verdict that it gets alone. */
export async function judgesAlikeInParallel<R>(bench: Bench<R>): Promise<void> {
  const alone: unknown[] = [];
  const attempts = attemptsOn(bench);
  for (const { task, attempt, about } of attempts)
    alone.push(timeless(await verdictOn(bench, task, attempt, about)));
  const copies = Array.from({ length: COPIES }, () => [...attempts.entries()]).flat();
  await Promise.all(
    copies.map(async ([i, { task, attempt, about }]) => {
      const verdict = timeless(await verdictOn(bench, task, attempt, `${about}, in parallel`));
      assert.deepEqual(verdict, alone[i], `${about}: another verdict in parallel`);
    }),
  );
}

/** Every text on the first task and each on one more; afterwards the domain judges as before. */
export async function survivesHostileText<R>(
  bench: Bench<R>,
  more: readonly string[],
): Promise<void> {
  const { tasks } = bench;
  const own = more.map((text, i): HostileText => ({ name: `hostile text ${i} of its own`, text }));
  for (const [i, hostile] of [...HOSTILE_TEXTS, ...own].entries())
    for (const task of new Set([tasks[0]!, tasks[i % tasks.length]!]))
      await survives(bench, task, hostile);
  for (const known of knownTasks(bench)) await accepts(bench, known, 'after hostile texts');
}

async function survives<R>(bench: Bench<R>, task: Task<R>, { name, text }: HostileText) {
  const about = `${name}, on ${task.id}`;
  const verdict = await verdictOn(bench, task, answer(text), about);
  assert.ok(!passed(verdict), `${about}: it must not pass`);
  // An attempt that could make our own machinery fail would have found a way around being judged.
  const fault = verdict.kind === 'void' ? verdict.fault : 'undecided';
  assert.equal(fault, 'undecided', `${about}: a text must not cause a fault: ${describe(verdict)}`);
}

export async function honoursAbortBefore<R>(bench: Bench<R>): Promise<void> {
  for (const { task, correct, incorrect } of knownTasks(bench))
    for (const text of [correct, incorrect, 'x']) {
      const about = `an answer to ${task.id} with an aborted signal`;
      const verdict = await verdictOn(bench, task, answer(text), about, AbortSignal.abort());
      assertAborted(verdict, about);
    }
}

function assertAborted(verdict: Verdict, about: string): void {
  const aborted = verdict.kind === 'void' && verdict.fault === 'aborted';
  assert.ok(aborted, `${about}: must be void, aborted, not ${describe(verdict)}`);
}

/** How long a slow attempt runs before it is stopped. */
const HEADSTART_MS = 200;

/**
 * An abort under way ends in `aborted`, or in the verdict that was due anyway. The neighbours keep theirs, and the
 * domain works on.
 */
export async function honoursAbortDuring<R>(
  bench: Bench<R>,
  slow: { readonly row: unknown; readonly text: string } | undefined,
): Promise<void> {
  for (const known of knownTasks(bench)) {
    const { task, correct } = known;
    const about = `the right answer of ${task.id}, aborted on the way`;
    const stop = new AbortController();
    const pending = verdictOn(bench, task, answer(correct), about, stop.signal);
    const neighbour = accepts(bench, known, 'beside an aborted one');
    stop.abort();
    const [verdict] = await Promise.all([pending, neighbour]);
    if (!passed(verdict)) assertAborted(verdict, about);
  }
  if (slow) await stopsTheSlow(bench, slow);
  for (const known of knownTasks(bench)) await accepts(bench, known, 'after an abort');
}

async function stopsTheSlow<R>(
  bench: Bench<R>,
  slow: { readonly row: unknown; readonly text: string },
): Promise<void> {
  const task = bench.domain.parse(slow.row);
  const stop = new AbortController();
  const about = 'a slow attempt, aborted while it ran';
  const pending = verdictOn(bench, task, answer(slow.text), about, stop.signal);
  const timer = setTimeout(() => stop.abort(), HEADSTART_MS);
  const verdict = await pending.finally(() => clearTimeout(timer));
  assertAborted(verdict, about);
}

/** Twice, once with work under way; what is asked afterwards still gets an answer, and no false one. */
export async function closesTwice<R>(bench: Bench<R>): Promise<void> {
  const { domain } = bench;
  const [known] = knownTasks(bench);
  const { task, correct } = known!;
  const ask = (when: string) => verdictOn(bench, task, answer(correct), `${task.id}, ${when}`);
  const close = async () => {
    await Promise.all([domain.close?.(), domain.close?.()]);
    await domain.close?.();
    return ask('after the close');
  };
  for (const verdict of await Promise.all([ask('under way at the close'), close()]))
    assert.ok(
      verdict.kind === 'void' || verdict.passed,
      `a close must not turn ${task.id} wrong: ${describe(verdict)}`,
    );
}
