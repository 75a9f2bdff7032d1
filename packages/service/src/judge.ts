/**
 * A row in, a verdict row out: reads the row, finds its domain, judges, and never rejects. What is wrong
 * with a row, and trouble of ours, are rows too: without a reward, with the reason as a diagnostic.
 * Leaves out: where rows come from (files in the command line, HTTP in the server).
 */
import { rewardOf } from '@cipo/reward';
import {
  assertSandboxAvailable,
  type CodeDomain,
  type CodeProgram,
  type Ran,
} from '@cipo/verifier/code';
import { type DomainSet, type OpenOptions, openDomains } from '@cipo/verifier/domains';
import { normalizeRow, readId } from '@cipo/verifier/rows';
import {
  type Diagnostic,
  type Domain,
  type Fault,
  isTaskError,
  preview,
  type Status,
  type Task,
  TaskError,
  type Verdict,
  type Void,
  voided,
} from '@cipo/verifier/types';
import { warmUp } from './ready.ts';

export type RowStatus =
  | Status
  | 'infra_error'
  | 'overloaded'
  | 'undecided'
  | 'bad_task'
  | 'aborted';

/** The verdict on one row, ready to be written as JSON. Times are milliseconds. */
export interface RowVerdict {
  /** The row's id, else what its domain makes of it; `""` where neither has one. */
  readonly id: string;
  readonly status: RowStatus;
  /** null where there is no judgement. */
  readonly passed: boolean | null;
  /** 1 or 0; null where there is no judgement, so that it is masked and never scored 0. */
  readonly reward: 1 | 0 | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly cpuMs: number;
  readonly wallMs: number;
}

export interface JudgeOptions extends OpenOptions {
  /** Domains that are open already. They stay the caller's to close. Absent: opened with the other options. */
  readonly domains?: DomainSet;
  /** Domain of rows that name none. Absent: the one that their columns clearly say. */
  readonly domain?: string;
  /** Fields laid under every row; its own win. `options` and `limits` are laid key by key. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Longest response, in characters; a longer one is a `bad_task`. Default: no bound. */
  readonly maxResponseLength?: number;
}

export interface Judge {
  /** Names of the domains that rows may ask for. */
  readonly names: readonly string[];
  /** Judges one row. Never rejects: whatever goes wrong is a verdict row without a reward. */
  judge(row: unknown, signal?: AbortSignal): Promise<RowVerdict>;
  /** Runs a program in the code domain's sandboxes without judging it. Never rejects. */
  run(program: CodeProgram, signal?: AbortSignal): Promise<Ran | Void>;
  /**
   * Starts what judging needs, so that the first rows do not wait for it.
   * @param languages whose sandboxes to start. Default: Python and JavaScript (which runs TypeScript too)
   * @throws where a judge that must accept a right answer does not
   */
  ready(languages?: readonly string[]): Promise<void>;
  /** Ends every process. Rows under way come back as `aborted`. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * ```ts
 * const judge = await createJudge();
 * const { status } = await judge.judge({ answer: '1/2', response: 'It is \\boxed{0.5}.' });
 * await judge.close();
 * ```
 * @throws {PluginError} if a plug-in cannot be used
 * @throws {SandboxUnavailableError} if code cannot be verified in this process, unless `domain` names another domain
 */
export async function createJudge(options: JudgeOptions = {}): Promise<Judge> {
  const { domain: only = 'code' } = options;
  if (options.domains === undefined && only === 'code') assertSandboxAvailable(); // once, not per row
  const domains = options.domains ?? (await openDomains(options));
  if (options.domain !== undefined) domains.get(options.domain); // an unknown default is said now
  return {
    names: domains.names,
    judge: (row, signal) => judgeRow(row, domains, options, signal),
    run: (program, signal) => runProgram(domains, program, signal),
    ready: (languages) => warmUp(domains, languages, options.workers),
    async close() {
      if (options.domains === undefined) await domains.close();
    },
  };
}

async function judgeRow(
  raw: unknown,
  domains: DomainSet,
  options: JudgeOptions,
  signal: AbortSignal | undefined,
): Promise<RowVerdict> {
  let id = readId(raw) ?? '';
  try {
    const row = normalizeRow(withDefaults(raw, options.defaults), {
      domain: options.domain,
      labels: domains.plugged,
    });
    const domain = domains.get(row.domain);
    const task = domain.parse(row.fields);
    id = row.id ?? task.id;
    const response = requireResponse(row.response, options.maxResponseLength);
    return rowVerdict(id, await verdictOn(domain, task, response, signal));
  } catch (error) {
    if (isTaskError(error)) return badRow(id, error);
    return rowTrouble(id, `the row could not be read: ${messageOf(error)}`);
  }
}

/** Trouble of ours as a verdict row. */
export function rowTrouble(id: string, detail: string): RowVerdict {
  return rowVerdict(id, voided('infra', detail));
}

const LAID_BY_KEY = ['options', 'limits'];

function withDefaults(raw: unknown, defaults: JudgeOptions['defaults']): unknown {
  if (defaults === undefined || !isObject(raw)) return raw;
  const merged = LAID_BY_KEY.filter((key) => isObject(defaults[key]) && isObject(raw[key]));
  const both = merged.map((key) => [key, Object.assign({}, defaults[key], raw[key])] as const);
  return { ...defaults, ...raw, ...Object.fromEntries(both) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function requireResponse(response: string | undefined, longest = Number.POSITIVE_INFINITY): string {
  if (response === undefined) {
    const others = 'completion, completions, solution_str, output';
    throw new TaskError('response', `must be text (or one of ${others})`, response);
  }
  if (response.length > longest) {
    const problem = `must not be longer than ${longest} characters`;
    throw new TaskError('response', problem, `${response.length} characters`);
  }
  return response;
}

/** A domain that rejects or answers out of shape broke its promise: that is trouble of ours, not a wrong answer. */
async function verdictOn(
  domain: Domain,
  task: Task,
  text: string,
  signal: AbortSignal | undefined,
): Promise<Verdict> {
  if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
  try {
    const verdict: unknown = await domain.verify(task, { text, stop: 'end' }, signal);
    if (isVerdict(verdict)) return verdict;
    return voided('infra', `the domain ${domain.name} answered ${preview(verdict)}`);
  } catch (error) {
    return voided('infra', `the domain ${domain.name} failed: ${messageOf(error)}`);
  }
}

async function runProgram(
  domains: DomainSet,
  program: CodeProgram,
  signal: AbortSignal | undefined,
): Promise<Ran | Void> {
  const domain = domains.get('code');
  if (!canRun(domain)) return voided('infra', 'the code domain does not run programs');
  return domain.run(program, signal);
}

function canRun(domain: Domain): domain is CodeDomain {
  return 'run' in domain && typeof domain.run === 'function';
}

function isVerdict(value: unknown): value is Verdict {
  if (!isObject(value)) return false;
  if (value.kind === 'void') return Object.hasOwn(FAULT_STATUS, String(value.fault));
  return (
    value.kind === 'judged' &&
    typeof value.status === 'string' &&
    value.passed === (value.status === 'accepted') &&
    Array.isArray(value.diagnostics)
  );
}

const FAULT_STATUS: Readonly<Record<Fault, RowStatus>> = {
  infra: 'infra_error',
  overloaded: 'overloaded',
  undecided: 'undecided',
  'bad-task': 'bad_task',
  aborted: 'aborted',
};

function rowVerdict(id: string, verdict: Verdict): RowVerdict {
  const reward = rewardOf(verdict) ?? null;
  if (verdict.kind === 'judged') {
    const { status, passed, diagnostics, cpuMs, wallMs } = verdict;
    return {
      id,
      status,
      passed,
      reward,
      diagnostics,
      cpuMs: rounded(cpuMs),
      wallMs: rounded(wallMs),
    };
  }
  const status = FAULT_STATUS[verdict.fault];
  const code = status.replaceAll('_', '-');
  const diagnostics = [
    { code, audience: 'operator' as const, message: verdict.detail.slice(0, 2000) },
  ];
  return { id, status, passed: null, reward: null, diagnostics, cpuMs: 0, wallMs: 0 };
}

/** A row that cannot be judged, with the field, the reason and what was received. */
export function badRow(id: string, error: TaskError): RowVerdict {
  const { field, problem, received, message } = error;
  const details = { field, reason: problem ?? message, received: preview(received) };
  const diagnostic = { code: 'bad-task', audience: 'operator' as const, message, details };
  const diagnostics = [diagnostic];
  return { id, status: 'bad_task', passed: null, reward: null, diagnostics, cpuMs: 0, wallMs: 0 };
}

const rounded = (ms: number) => Math.round((Number.isFinite(ms) ? ms : 0) * 100) / 100;

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
