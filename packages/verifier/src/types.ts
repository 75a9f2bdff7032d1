/**
 * The shared words of the whole project: Task, Attempt, Diagnostic, Verdict, Domain.
 * Read this file first. It holds types and their smallest helpers, no behaviour of any domain.
 */

/** One chat turn, as OpenAI and Hugging Face shape it. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** A problem with what is needed to judge an answer. `reference` never reaches the policy. */
export interface Task<R = unknown> {
  readonly id: string;
  /** Name of the {@link Domain} that judges it. */
  readonly domain: string;
  readonly prompt: readonly Message[];
  readonly reference: R;
}

/** What a policy answered. `stop: 'length'` means it was cut off at the token limit. */
export interface Attempt {
  readonly text: string;
  readonly stop: 'end' | 'length';
}

/** Who may read a diagnostic. `policy`: may stand in a correction prompt. `operator`: may show hidden tests and the reference. */
export type Audience = 'policy' | 'operator';

/**
 * One finding about an attempt, as data: words are rendered later by whoever shows it.
 * `code` is stable kebab-case (`wrong-answer`, `runtime-error`, `time-limit`, `unreadable-answer`, ...).
 * `details` carries the typed facts of that code; every text in it is capped by the domain.
 */
export interface Diagnostic {
  readonly code: string;
  readonly audience: Audience;
  /** One sentence for a person, already capped. */
  readonly message: string;
  /** Place in the *submitted* text, 1-based. */
  readonly at?: { readonly line: number; readonly column: number };
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Every way in which a judged attempt can end; docs/statuses.md says what each means. `accepted` is the only one that passes. */
export const STATUSES = [
  'accepted',
  'wrong_answer',
  'unreadable_answer',
  'compile_error',
  'runtime_error',
  'missing_entry',
  'unresolved_promise',
  'time_limit',
  'memory_limit',
  'output_limit',
  'source_limit',
  'sandbox_violation',
  'crashed',
] as const;
export type Status = (typeof STATUSES)[number];

/** Why there is no judgement: our sandbox broke, there was no room, nothing proves either way, the task itself is unreadable, or its owner stopped it. */
export const FAULTS = ['infra', 'overloaded', 'undecided', 'bad-task', 'aborted'] as const;
export type Fault = (typeof FAULTS)[number];

/** A judgement. `passed` is `status === 'accepted'`. Times are milliseconds. */
export interface Judged {
  readonly kind: 'judged';
  readonly passed: boolean;
  readonly status: Status;
  readonly diagnostics: readonly Diagnostic[];
  /** CPU time the attempt used in the sandbox; what limits are judged on. */
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** The honest absence of a judgement. It has no `passed` and so can never become a reward. */
export interface Void {
  readonly kind: 'void';
  readonly fault: Fault;
  readonly detail: string;
}

export type Verdict = Judged | Void;

/**
 * The plug-in point: one object, one folder or one npm package.
 *
 * ```ts
 * const parity: Domain<number> = {
 *   name: 'parity',
 *   parse: (row) => ({ id: '4', domain: 'parity', prompt: [{ role: 'user', content: 'odd or even: 4' }], reference: 4 }),
 *   verify: async (task, attempt, signal) => {
 *     if (signal?.aborted) return voided('aborted', 'asked to stop');
 *     const right = task.reference % 2 === 0 ? 'even' : 'odd';
 *     return judged(attempt.text.trim() === right ? 'accepted' : 'wrong_answer');
 *   },
 *   known: (task) => ({ right: task.reference % 2 ? 'odd' : 'even', wrong: task.reference % 2 ? 'even' : 'odd' }),
 * };
 * ```
 * `domainContract()` of `@cipo/verifier/testing` checks any such object without a model.
 */
export interface Domain<R = unknown> {
  readonly name: string;
  /** Reads one row of a data set. @throws {TaskError} naming the field and the value received. */
  parse(row: unknown): Task<R>;
  /** Judges one attempt. Never rejects on what the attempt contains: trouble of ours is a {@link Void}. */
  verify(task: Task<R>, attempt: Attempt, signal?: AbortSignal): Promise<Verdict>;
  /** The correction prompt in this domain's words. `diagnostics` are already filtered to what the policy may see. */
  correction?(
    task: Task<R>,
    attempt: Attempt,
    diagnostics: readonly Diagnostic[],
  ): readonly Message[];
  /** A right and a wrong answer for the contract suite, where the task allows to make them. */
  known?(task: Task<R>): { readonly right: string; readonly wrong: string } | undefined;
  /** Frees pools and processes. Safe to call twice. */
  close?(): Promise<void>;
}

/** A row that cannot become a task. Carries the field so that a batch can go on and say what was wrong. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly field: string;
  /** What is wrong with the field, without its name and value. */
  readonly problem: string;
  readonly received: unknown;
  constructor(field: string, problem: string, received: unknown) {
    super(`${field}: ${problem}, received ${preview(received)}`);
    this.field = field;
    this.problem = problem;
    this.received = received;
  }
}

/** Is it a TaskError, be it of another copy of this module? Plug-ins may bring their own. */
export function isTaskError(error: unknown): error is TaskError {
  return (
    error instanceof TaskError ||
    (error instanceof Error && error.name === 'TaskError' && 'field' in error)
  );
}

/** A judged verdict; `passed` follows from the status. */
export function judged(
  status: Status,
  diagnostics: readonly Diagnostic[] = [],
  time: { cpuMs: number; wallMs: number } = { cpuMs: 0, wallMs: 0 },
): Judged {
  return { kind: 'judged', passed: status === 'accepted', status, diagnostics, ...time };
}

/** A void verdict. `detail` is for the operator's log. */
export function voided(fault: Fault, detail: string): Void {
  return { kind: 'void', fault, detail };
}

/** A short, single-line picture of any value for error messages; never throws. */
export function preview(value: unknown, max = 80): string {
  let text: string;
  try {
    text =
      typeof value === 'string'
        ? JSON.stringify(value.slice(0, max + 1))
        : (JSON.stringify(value) ?? String(value));
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}
