/** The checks on what the policy sees: no reference, no verdict in a correction prompt, and bounded sizes. */
import { strict as assert } from 'node:assert';
import { type Attempt, type KnownResponses, preview, type Task } from '../types.ts';
import { HOSTILE_TEXTS } from './hostile.ts';
import { type Bench, knownTasks } from './judging.ts';
import {
  containsPhrase,
  diagnosticsFor,
  differOnlyInAttempt,
  joinContents,
  policyView,
  secretsOf,
} from './leaks.ts';
import { BOUNDS, makeAttempt, verifyChecked } from './verdicts.ts';

/** Names of hostile texts that make many domains report something. Each costs one verdict per task. */
const PROBE_NAMES = [
  'special numbers',
  'a division by zero',
  'a boxed interval of all numbers',
  'JSON that claims to be accepted',
  'a fence that is never closed',
  'SQL',
  'JavaScript that throws a trap',
  'Python that equals everything',
];
const PROBES = ['', ...PROBE_NAMES.map(hostileText)];

function hostileText(name: string): string {
  const found = HOSTILE_TEXTS.find((hostile) => hostile.name === name);
  assert.ok(found, `there is no hostile text called ${name}`);
  return found.text;
}

interface View {
  /** Everything that the policy may see. */
  readonly policy: string;
  /** Messages that only the operator may see. */
  readonly operator: readonly string[];
}

/** What is shown of an attempt. Undefined if it is accepted: then the policy knows the answer already. */
async function viewOf<R>(
  { domain, timeoutMs }: Bench<R>,
  task: Task<R>,
  attempt: Attempt,
): Promise<View | undefined> {
  const about = `an attempt at ${task.id}`;
  const verdict = await verifyChecked(domain, task, attempt, { about, timeoutMs });
  if (verdict.kind === 'judged' && verdict.passed) return undefined;
  const operator = diagnosticsFor('operator', verdict).map(({ message }) => message);
  return { policy: policyView(domain, task, attempt, verdict), operator };
}

/** No secret is in the prompt, or in what is shown of a rejected attempt that does not contain the secret itself. */
export async function checkSecrets<R>(
  bench: Bench<R>,
  named: (task: Task<R>) => readonly string[],
): Promise<void> {
  const known = knownTasks(bench);
  const attempts = [...known.flatMap(({ correct, incorrect }) => [incorrect, correct]), ...PROBES];
  for (const { task, ...responses } of known) {
    assertPromptKeepsSecrets(task, responses, named(task));
    const secrets = secretsOf(task, responses, named(task));
    for (const text of attempts) {
      const view = await viewOf(bench, task, makeAttempt(text));
      if (view) assertViewKeepsSecrets(view, secrets, { id: task.id, text });
    }
  }
}

function assertViewKeepsSecrets(
  view: View,
  secrets: readonly string[],
  { id, text }: { readonly id: string; readonly text: string },
): void {
  for (const secret of secrets) {
    const isKept = containsPhrase(text, secret) || !containsPhrase(view.policy, secret);
    assert.ok(isKept, `${id}: the policy can read ${preview(secret)}`);
  }
  for (const message of view.operator) {
    assert.ok(
      !view.policy.includes(message),
      `${id}: the policy can read an operator’s diagnostic`,
    );
  }
}

/** The prompt may contain the correct response only as one of several choices: then it contains the incorrect one too. */
function assertPromptKeepsSecrets(
  task: Task,
  { correct, incorrect }: KnownResponses,
  named: readonly string[],
): void {
  const prompt = joinContents(task.prompt);
  const isChoice = containsPhrase(prompt, incorrect);
  for (const secret of [...(isChoice ? [] : [correct]), ...named]) {
    assert.ok(!containsPhrase(prompt, secret), `${task.id}: the prompt reveals the answer`);
  }
}

/** Two tasks that differ only in their reference look the same to the policy, whatever it responds. */
export async function checkTwins<R>(
  bench: Bench<R>,
  twins: readonly (readonly [unknown, unknown])[],
): Promise<void> {
  for (const [left, right] of twins) {
    const [one, other] = [bench.domain.parse(left), bench.domain.parse(right)];
    assert.notDeepEqual(one.reference, other.reference, 'twins must differ in their reference');
    assert.deepEqual(one.prompt, other.prompt, `${one.id}: the prompt depends on the reference`);
    const incorrect = [one, other].flatMap((task) => bench.domain.known?.(task)?.incorrect ?? []);
    for (const text of [...incorrect, ...PROBES]) {
      const view = await viewOf(bench, one, makeAttempt(text));
      const twin = await viewOf(bench, other, makeAttempt(text));
      if (!view || !twin) continue;
      const message = `${one.id}: what the policy sees depends on the reference`;
      assert.equal(twin.policy, view.policy, message);
    }
  }
}

/** A correction prompt ends with the user's turn, does not reveal the verdict, and is bounded. */
export function checkCorrections<R>(bench: Bench<R>): void {
  const { domain } = bench;
  if (!domain.correction) return;
  for (const { task, correct, incorrect } of knownTasks(bench)) {
    const shown = (text: string) => ({
      prompt: joinContents(domain.correction?.(task, makeAttempt(text), []) ?? []),
      attempt: text.trim(),
    });
    assert.ok(
      differOnlyInAttempt(shown(correct), shown(incorrect)),
      `${task.id}: the correction prompt reveals whether the attempt is correct`,
    );
    for (const text of [incorrect, ...HOSTILE_TEXTS.map((hostile) => hostile.text)]) {
      const messages = domain.correction(task, makeAttempt(text, 'length'), []);
      assert.equal(messages.at(-1)?.role, 'user', `${task.id}: the last turn must be the user’s`);
      const chars = joinContents(messages).length - joinContents(task.prompt).length;
      const most = BOUNDS.correctionChars;
      const message = `${task.id}: expected at most ${most} characters of correction prompt, got ${chars}`;
      assert.ok(chars <= most, message);
    }
  }
}
