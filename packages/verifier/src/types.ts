/**
 * @packageDocumentation
 * The types that all packages share: Message, Task, Attempt, Diagnostic, Verdict and Domain, with small helpers to make
 * them. Read this file first. Leaves out: the behavior of any domain.
 */

/** One chat turn, in the shape that OpenAI and Hugging Face use. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** A parsed problem. */
export interface Task<R = unknown> {
  readonly id: string;
  /** Name of the {@link Domain} that verifies attempts at this task. */
  readonly domain: string;
  /** The messages that the policy is given. */
  readonly prompt: readonly Message[];
  /** The ground truth, in the domain's own type. It is never shown to the policy. */
  readonly reference: R;
}

/** A response of the policy with how it stopped: the input of {@link Domain.verify}. */
export interface Attempt {
  /** The whole response. */
  readonly text: string;
  /** `end`: the policy ended its turn. `length`: it was cut off at the token limit. */
  readonly stop: 'end' | 'length';
}

/**
 * Who may read a diagnostic. `policy`: it may be part of a correction prompt. `operator`: only people who run the
 * system may read it, because it can show hidden tests or the reference.
 */
export type Audience = 'policy' | 'operator';

/** One finding about an attempt, as data. Programs read the code and the details; the message is for people. */
export interface Diagnostic {
  /** Stable kebab-case code: `wrong-answer`, `runtime-error`, `time-limit`, `unreadable-answer`, ... */
  readonly code: string;
  readonly audience: Audience;
  /** One sentence for a person. The domain limits its length. */
  readonly message: string;
  /** Place in the text of the attempt. Both numbers start at 1. */
  readonly at?: { readonly line: number; readonly column: number };
  /** Typed facts that belong to `code`. The domain limits the length of every text in it. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Every status of a judged attempt. Only `accepted` means correct. docs/reference/statuses.md explains each. */
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
/** How a judged attempt ended: one of {@link STATUSES}. */
export type Status = (typeof STATUSES)[number];

/**
 * Why an attempt has no judgment. `infra`: the sandbox failed. `overloaded`: no capacity. `undecided`: neither equal
 * nor different was proved. `bad-task`: the task cannot be used. `aborted`: the caller canceled.
 */
export const FAULTS = ['infra', 'overloaded', 'undecided', 'bad-task', 'aborted'] as const;
/** Why a verdict is void: one of {@link FAULTS}. */
export type Fault = (typeof FAULTS)[number];

/** The verdict on an attempt that was judged. */
export interface Judged {
  readonly kind: 'judged';
  /** Whether the attempt is correct: `status === 'accepted'`. */
  readonly passed: boolean;
  readonly status: Status;
  readonly diagnostics: readonly Diagnostic[];
  /** CPU milliseconds that the attempt used in the sandbox. Time limits apply to this number. */
  readonly cpuMs: number;
  /** Wall-clock milliseconds of the same work. */
  readonly wallMs: number;
}

/**
 * The verdict on an attempt that was not judged. It has no `passed`, so the compiler keeps it from becoming a reward.
 */
export interface Void {
  readonly kind: 'void';
  readonly fault: Fault;
  /** The reason, for the operator's log. */
  readonly detail: string;
}

/** The result of {@link Domain.verify}. Test `kind` first. */
export type Verdict = Judged | Void;

/**
 * One kind of task: reads rows and verifies attempts. A domain is one object, in a folder of this package or in a
 * plug-in.
 *
 * ```ts
 * const parity: Domain<number> = {
 *   name: 'parity',
 *   parse: (row) => ({ id: '4', domain: 'parity', prompt: [{ role: 'user', content: 'odd or even: 4' }], reference: 4 }),
 *   verify: async (task, attempt, signal) => {
 *     if (signal?.aborted) return voided('aborted', 'the caller canceled');
 *     const expected = task.reference % 2 === 0 ? 'even' : 'odd';
 *     return judged(attempt.text.trim() === expected ? 'accepted' : 'wrong_answer');
 *   },
 *   known: ({ reference }) =>
 *     reference % 2 === 0 ? { correct: 'even', incorrect: 'odd' } : { correct: 'odd', incorrect: 'even' },
 * };
 * ```
 * `domainContract()` of `@cipo/verifier/testing` tests any domain without a model.
 */
export interface Domain<R = unknown> {
  readonly name: string;
  /** Reads one row of a data set. @throws {TaskError} naming the field and the value received. */
  parse(row: unknown): Task<R>;
  /**
   * Judges one attempt. No text of an attempt makes it reject: an infrastructure failure is a {@link Void} verdict.
   * @param signal when it aborts, the verdict is void with the fault `aborted`
   */
  verify(task: Task<R>, attempt: Attempt, signal?: AbortSignal): Promise<Verdict>;
  /**
   * The prompt that shows an attempt and asks for a corrected one.
   * @param diagnostics only those that the policy may see
   */
  correction?(
    task: Task<R>,
    attempt: Attempt,
    diagnostics: readonly Diagnostic[],
  ): readonly Message[];
  /** One correct and one incorrect response, for the contract suite. Undefined if the task does not determine them. */
  known?(task: Task<R>): KnownResponses | undefined;
  /** Ends pools and processes. Safe to call twice. */
  close?(): Promise<void>;
}

/** Responses whose outcome is known without a model; see {@link Domain.known}. */
export interface KnownResponses {
  readonly correct: string;
  readonly incorrect: string;
}

/**
 * A row that cannot become a task. It carries the field, so that a batch can report it and continue with the next row.
 */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  /** Path of the field in the row, such as `tests.cases.0.input`. */
  readonly field: string;
  /** What the field must be, without its name and its value. */
  readonly problem: string;
  /** The value of the field; undefined if it is missing, and the message then leaves it out. */
  readonly received: unknown;
  constructor(field: string, problem: string, received: unknown) {
    const value = received === undefined ? '' : `, received ${preview(received)}`;
    super(`${field}: ${problem}${value}`);
    this.field = field;
    this.problem = problem;
    this.received = received;
  }
}

/** Whether `error` is a {@link TaskError}, also one of another copy of this module: a plug-in may install its own. */
export function isTaskError(error: unknown): error is TaskError {
  return (
    error instanceof TaskError ||
    (error instanceof Error && error.name === 'TaskError' && 'field' in error)
  );
}

/** Makes a {@link Judged} verdict. `passed` follows from `status`. */
export function judged(
  status: Status,
  diagnostics: readonly Diagnostic[] = [],
  time: { cpuMs: number; wallMs: number } = { cpuMs: 0, wallMs: 0 },
): Judged {
  return { kind: 'judged', passed: status === 'accepted', status, diagnostics, ...time };
}

/** Makes a {@link Void} verdict. `detail` is for the operator's log. */
export function voided(fault: Fault, detail: string): Void {
  return { kind: 'void', fault, detail };
}

/** Whether a value that came from a plug-in or another process has the shape of a {@link Verdict}. */
export function isVerdict(value: unknown): value is Verdict {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (value.kind === 'void') {
    return 'fault' in value && FAULTS.some((fault) => fault === value.fault) && 'detail' in value;
  }
  return (
    value.kind === 'judged' &&
    'status' in value &&
    typeof value.status === 'string' &&
    'passed' in value &&
    value.passed === (value.status === 'accepted') &&
    'diagnostics' in value &&
    Array.isArray(value.diagnostics)
  );
}

/** Describes any value on one line for an error message, in at most `max` UTF-16 code units. Never throws. */
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
