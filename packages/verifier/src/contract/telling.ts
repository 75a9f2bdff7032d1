/** The part of the contract about what the policy gets to see: no reference, no verdict, and not too much of anything. */
import { strict as assert } from 'node:assert';
import type { Attempt, Task } from '../types.ts';
import { HOSTILE_TEXTS } from './hostile.ts';
import { type Bench, knownTasks } from './judging.ts';
import { contents, policyView, sameWords, secretsOf, stands, toldTo } from './leaks.ts';
import { answer, BOUNDS, judge } from './verdicts.ts';

/** Texts that a judge gets far enough with to say something about; each costs a verdict on every task. */
const PROBES = [
  '',
  'numbers that are none',
  'a division by zero',
  'a box of everything',
  'JSON that says it passed',
  'a fence that never closes',
  'SQL',
  'JavaScript that throws a trap',
  'Python that compares equal to all',
].map((name) => HOSTILE_TEXTS.find((hostile) => hostile.name === name)?.text ?? name);

/** What the policy would see of one attempt; nothing of one that passes, for it knows the answer. */
async function viewOf<R>(
  { domain, patienceMs }: Bench<R>,
  task: Task<R>,
  attempt: Attempt,
): Promise<{ view: string; operator: readonly string[] } | undefined> {
  const about = `an attempt at ${task.id}`;
  const verdict = await judge(domain, task, attempt, { about, patienceMs });
  if (verdict.kind === 'judged' && verdict.passed) return undefined;
  const operator = toldTo('operator', verdict).map((d) => d.message);
  return { view: policyView(domain, task, attempt, verdict), operator };
}

/** No secret in the prompt; none in what any failed attempt is told, unless the attempt said it itself. */
export async function keepsTheReference<R>(
  bench: Bench<R>,
  named: (task: Task<R>) => readonly string[],
): Promise<void> {
  const known = knownTasks(bench);
  const attempts = [...known.flatMap(({ correct, incorrect }) => [incorrect, correct]), ...PROBES];
  for (const { task, correct, incorrect } of known) {
    promptKeeps(task, { correct, incorrect }, named(task));
    const secrets = secretsOf(task, { correct, incorrect }, named(task));
    for (const text of attempts) {
      const seen = await viewOf(bench, task, answer(text));
      for (const secret of seen ? secrets : [])
        assert.ok(
          stands(secret, text) || !stands(secret, seen!.view),
          `${task.id}: the policy can read ${JSON.stringify(secret.slice(0, 80))}`,
        );
      for (const message of seen?.operator ?? [])
        assert.ok(!seen!.view.includes(message), `${task.id}: an operator's diagnostic is shown`);
    }
  }
}

/** The right answer may stand in the prompt only as one of several to choose from: then the wrong one does too. */
function promptKeeps(
  task: Task,
  { correct, incorrect }: { readonly correct: string; readonly incorrect: string },
  named: readonly string[],
): void {
  const prompt = contents(task.prompt);
  const choice = stands(incorrect, prompt);
  for (const secret of [...(choice ? [] : [correct]), ...named])
    assert.ok(!stands(secret, prompt), `${task.id}: the prompt gives the answer away`);
}

/** Two tasks that differ in their reference alone look the same to the policy, whatever it answers to either. */
export async function looksTheSame<R>(
  bench: Bench<R>,
  twins: readonly (readonly [unknown, unknown])[],
): Promise<void> {
  for (const [left, right] of twins) {
    const [one, other] = [bench.domain.parse(left), bench.domain.parse(right)];
    assert.notDeepEqual(one.reference, other.reference, 'twins must differ in their reference');
    assert.deepEqual(one.prompt, other.prompt, `${one.id}: the prompt depends on the reference`);
    const wrongs = [one, other].flatMap((task) => bench.domain.known?.(task)?.incorrect ?? []);
    for (const text of [...wrongs, ...PROBES]) {
      const seen = await viewOf(bench, one, answer(text));
      const twin = await viewOf(bench, other, answer(text));
      if (seen && twin)
        assert.equal(twin.view, seen.view, `${one.id}: what is told depends on the reference`);
    }
  }
}

/** The correction prompt asks the user's turn, says nothing about the verdict, and stays bounded. */
export function wordsCorrectionsAlike<R>(bench: Bench<R>): void {
  const { domain } = bench;
  if (!domain.correction) return;
  for (const { task, correct, incorrect } of knownTasks(bench)) {
    const words = (text: string) => contents(domain.correction!(task, answer(text), []));
    assert.ok(
      sameWords([words(correct), correct.trim()], [words(incorrect), incorrect.trim()]),
      `${task.id}: the correction prompt tells a right attempt from a wrong one`,
    );
    for (const text of [incorrect, ...HOSTILE_TEXTS.map((h) => h.text)]) {
      const messages = domain.correction(task, answer(text, 'length'), []);
      assert.equal(messages.at(-1)?.role, 'user', `${task.id}: the user must ask last`);
      const own = contents(messages).length - contents(task.prompt).length;
      assert.ok(own <= BOUNDS.correction, `${task.id}: a correction prompt of ${own} characters`);
    }
  }
}
