/**
 * Judges rows: reads a row, finds its domain, verifies the response and returns a verdict row. It never rejects: a row that
 * cannot be read, or an infrastructure failure, becomes a verdict row without a reward and with the reason as a diagnostic.
 * Leaves out: where rows come from (files in the command line, HTTP in the server).
 */
import { rewardOf } from '@cipo/reward';
import { errorMessage, isRecord, type UnknownRecord } from '@cipo/support';
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
  isVerdict,
  preview,
  type Status,
  type Task,
  TaskError,
  type Verdict,
  type Void,
  voided,
} from '@cipo/verifier/types';
import { warmUp } from './ready.ts';

/** Status of a verdict row: the status of a judgment, or the reason why there is none. */
export type RowStatus =
  | Status
  | 'infra_error'
  | 'overloaded'
  | 'undecided'
  | 'bad_task'
  | 'aborted';

/** The verdict on one row, in the form in which it is written as JSON. */
export interface RowVerdict {
  /** The id of the row, else the one that its domain generates, else `""`. */
  readonly id: string;
  readonly status: RowStatus;
  /** Whether the response is correct; null if it was not judged. */
  readonly passed: boolean | null;
  /** 1 or 0; null if the response was not judged: mask it, never score it 0. */
  readonly reward: 1 | 0 | null;
  /** Findings about the response, including those for the operator. */
  readonly diagnostics: readonly Diagnostic[];
  /** CPU time of the verification, in milliseconds. */
  readonly cpuMs: number;
  /** Wall time of the verification, in milliseconds. */
  readonly wallMs: number;
}

/** Options of {@link createJudge}. */
export interface JudgeOptions extends OpenOptions {
  /** Domains that are already open; the caller closes them. Default: domains opened with the other options. */
  readonly domains?: DomainSet;
  /** Domain of rows that name none. Default: the domain that their columns indicate. */
  readonly domain?: string;
  /** Default fields of every row. Fields of the row override them; `options` and `limits` are merged key by key. */
  readonly defaults?: UnknownRecord;
  /** Maximum length of a response, in UTF-16 code units. A longer one is a `bad_task`. Default: no limit. */
  readonly maxResponseLength?: number;
}

/** Verifies rows of any domain. Create one with {@link createJudge}. */
export interface Judge {
  /** Names of the domains that rows may name. */
  readonly names: readonly string[];
  /** Judges one row. Never rejects: every failure is a verdict row without a reward. */
  judge(row: unknown, signal?: AbortSignal): Promise<RowVerdict>;
  /** Runs a program in a sandbox of the code domain without judging it. Never rejects. */
  run(program: CodeProgram, signal?: AbortSignal): Promise<Ran | Void>;
  /**
   * Starts the sandboxes and verifies one correct answer in each, so that the first rows do not wait.
   *
   * @param languages the sandboxes to start. Default: Python and JavaScript (which also runs TypeScript)
   * @throws if a correct answer is not accepted
   */
  ready(languages?: readonly string[]): Promise<void>;
  /** Ends every sandbox process. Rows in progress resolve as `aborted`. Can be called more than once. */
  close(): Promise<void>;
}

/**
 * Creates a judge.
 *
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
  if (options.domain !== undefined) domains.get(options.domain); // reports an unknown domain now
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
    return formatRow(id, await verifyResponse(domain, task, response, signal));
  } catch (error) {
    if (isTaskError(error)) return badRow(id, error);
    return infraRow(id, `the row could not be read: ${errorMessage(error)}`);
  }
}

/** The verdict row of an infrastructure failure. */
export function infraRow(id: string, detail: string): RowVerdict {
  return formatRow(id, voided('infra', detail));
}

/** Fields whose defaults are merged key by key. */
const MERGED_FIELDS = ['options', 'limits'];

function withDefaults(raw: unknown, defaults: JudgeOptions['defaults']): unknown {
  if (defaults === undefined || !isRecord(raw)) return raw;
  const shared = MERGED_FIELDS.filter((key) => isRecord(defaults[key]) && isRecord(raw[key]));
  const merged = shared.map((key) => [key, Object.assign({}, defaults[key], raw[key])] as const);
  return { ...defaults, ...raw, ...Object.fromEntries(merged) };
}

function requireResponse(
  response: string | undefined,
  maxChars = Number.POSITIVE_INFINITY,
): string {
  if (response === undefined) {
    const others = 'completion, completions, solution_str, output';
    throw new TaskError('response', `is missing (other accepted columns: ${others})`, response);
  }
  if (response.length > maxChars) {
    const problem = `must have at most ${maxChars} characters`;
    throw new TaskError('response', problem, `${response.length} characters`);
  }
  return response;
}

/** A domain that rejects or returns something else than a verdict is an infrastructure failure, not a wrong answer. */
async function verifyResponse(
  domain: Domain,
  task: Task,
  text: string,
  signal: AbortSignal | undefined,
): Promise<Verdict> {
  if (signal?.aborted) return voided('aborted', 'aborted before verification started');
  try {
    const verdict: unknown = await domain.verify(task, { text, stop: 'end' }, signal);
    if (isVerdict(verdict)) return verdict;
    const problem = `expected a verdict, got ${preview(verdict)}`;
    return voided('infra', `the domain ${domain.name}: ${problem}`);
  } catch (error) {
    return voided('infra', `the domain ${domain.name} failed: ${errorMessage(error)}`);
  }
}

async function runProgram(
  domains: DomainSet,
  program: CodeProgram,
  signal: AbortSignal | undefined,
): Promise<Ran | Void> {
  try {
    const domain = domains.get('code');
    if (canRunPrograms(domain)) return await domain.run(program, signal);
    return voided('infra', 'the domain named code does not run programs');
  } catch (error) {
    return voided('infra', errorMessage(error));
  }
}

function canRunPrograms(domain: Domain): domain is CodeDomain {
  return 'run' in domain && typeof domain.run === 'function';
}

const FAULT_STATUS: Readonly<Record<Fault, RowStatus>> = {
  infra: 'infra_error',
  overloaded: 'overloaded',
  undecided: 'undecided',
  'bad-task': 'bad_task',
  aborted: 'aborted',
};

const MAX_DETAIL_CHARS = 2000;

function formatRow(id: string, verdict: Verdict): RowVerdict {
  const reward = rewardOf(verdict) ?? null;
  if (verdict.kind === 'judged') {
    const { status, passed, diagnostics, cpuMs, wallMs } = verdict;
    return {
      id,
      status,
      passed,
      reward,
      diagnostics,
      cpuMs: roundMs(cpuMs),
      wallMs: roundMs(wallMs),
    };
  }
  const status = FAULT_STATUS[verdict.fault];
  const code = status.replaceAll('_', '-');
  const diagnostics = [
    { code, audience: 'operator' as const, message: verdict.detail.slice(0, MAX_DETAIL_CHARS) },
  ];
  return { id, status, passed: null, reward: null, diagnostics, cpuMs: 0, wallMs: 0 };
}

/** The verdict row of a row that cannot be read. Its diagnostic has the field, the reason and the received value. */
export function badRow(id: string, error: TaskError): RowVerdict {
  const { field, problem, received, message } = error;
  const details = { field, reason: problem ?? message, received: preview(received) };
  const diagnostic = { code: 'bad-task', audience: 'operator' as const, message, details };
  const diagnostics = [diagnostic];
  return { id, status: 'bad_task', passed: null, reward: null, diagnostics, cpuMs: 0, wallMs: 0 };
}

/** Two decimals; 0 if a domain measured no time. */
function roundMs(ms: number): number {
  return Math.round((Number.isFinite(ms) ? ms : 0) * 100) / 100;
}
