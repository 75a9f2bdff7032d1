/**
 * SandboxFusion's `POST /run_code`: runs a program and answers what it printed and how it ended, for its
 * PyPI client, for verl's `sandbox_fusion` and for whoever else speaks it. Data sets (`/submit`,
 * `/get_prompts`) and notebooks are not served; files can be read and not written. Protocol: `sandbox/server/sandbox_api.py`.
 *
 * A run that our side could not do is a 504 with Retry-After: the one status that both clients try again
 * (the PyPI client tries every refusal again, verl only this one).
 */
import {
  type CodeProgram,
  type Language,
  problemOfPaths,
  type Ran,
  type RunLimits,
} from '@cipo/verifier/code';
import type { Void } from '@cipo/verifier/types';
import { Problem } from '../http/problem.ts';
import type { Reply, Route, RouteContext, RouteRequest } from '../http/route.ts';
import { type Fields, isAbsent, isRecord } from './fields.ts';

const LANGUAGES: Readonly<Record<string, Language>> = {
  python: 'python',
  nodejs: 'javascript',
  js: 'javascript',
  typescript: 'typescript',
  ts: 'typescript',
};

/** Requests may ask for more, but not without end. */
const LONGEST_RUN_S = 60;
const MOST_MEMORY_MB = 1024;
const SOURCE_BYTES = 1 << 20;
const MOST_FILES = 100;
/** Of Base64, over all files. */
const FILE_CHARACTERS = 4 << 20;

export const sandboxFusionRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/run_code',
    describe: {
      operationId: 'sandboxFusionRunCode',
      summary: "SandboxFusion's run_code",
      description:
        'Runs a program in a sandbox. `run_timeout` is CPU time. Languages: python, nodejs, typescript. 504 where the run could not be done and may be asked for again.',
      requestBody: { required: true, content: { 'application/json': { schema: schema() } } },
      responses: { 200: { description: '`status`, `run_result` and the rest of RunCodeResponse' } },
    },
    handle: runCode,
    busyStatus: 504,
    problem: detail,
  },
  {
    method: 'GET',
    path: '/v1/ping',
    open: true,
    describe: {
      operationId: 'sandboxFusionPing',
      summary: "SandboxFusion's health check",
      responses: { 200: { description: 'The process answers' } },
    },
    handle: async () => ({ body: 'pong' }),
  },
];

function schema() {
  const seconds = { type: 'number', default: 10 };
  return {
    type: 'object',
    required: ['code', 'language'],
    properties: {
      code: { type: 'string' },
      language: { enum: Object.keys(LANGUAGES) },
      stdin: { type: ['string', 'null'] },
      run_timeout: seconds,
      compile_timeout: { ...seconds, description: 'Not looked at: nothing is compiled' },
      memory_limit_MB: { type: 'integer', default: -1 },
      files: { type: 'object', description: 'Base64 by path: to be read, not written' },
      fetch_files: { type: 'array', items: { type: 'string' } },
    },
  };
}

async function runCode({ body }: RouteRequest, { judge, each }: RouteContext): Promise<Reply> {
  const program = readProgram(body);
  const [ran] = await each([program], (one, signal) => judge.run(one, signal));
  if (ran?.kind !== 'ran') throw notRun(ran);
  return { body: responseOf(ran, fetched(body, program.files ?? {})) };
}

/** Nobody writes files here, so those that are asked for are there if they were given, and as they were. */
function fetched(body: unknown, files: Readonly<Record<string, string>>): Record<string, string> {
  const names = isRecord(body) && Array.isArray(body.fetch_files) ? body.fetch_files : [];
  const given = names.filter((name) => typeof name === 'string' && Object.hasOwn(files, name));
  return Object.fromEntries(given.map((name) => [name, files[name]!]));
}

function notRun(reason: Void | undefined): Problem {
  const why = reason ? `${reason.fault}: ${reason.detail}` : 'unknown';
  const headers = { 'retry-after': '1' };
  return new Problem(504, 'not-run', `the program was not run: ${why}`, { headers });
}

function readProgram(body: unknown): CodeProgram {
  if (!isRecord(body)) throw invalid('body', 'must be an object', body);
  const { code, stdin } = body;
  if (typeof code !== 'string') throw invalid('code', 'must be text', code);
  if (code.length > SOURCE_BYTES)
    throw invalid('code', `must not be longer than ${SOURCE_BYTES} characters`, code);
  if (!isAbsent(stdin) && typeof stdin !== 'string')
    throw invalid('stdin', 'must be text or null', stdin);
  return {
    language: languageOf(body.language),
    source: code,
    stdin: stdin ?? '',
    limits: limitsOf(body),
    files: filesIn(body.files),
  };
}

function languageOf(value: unknown): Language {
  const known =
    typeof value === 'string' && Object.hasOwn(LANGUAGES, value) ? LANGUAGES[value] : undefined;
  if (!known)
    throw invalid('language', `must be one of ${Object.keys(LANGUAGES).join(', ')}`, value);
  return known;
}

function filesIn(files: unknown): Readonly<Record<string, string>> {
  if (isAbsent(files)) return {};
  if (!isRecord(files)) throw invalid('files', 'must be an object', files);
  const given = Object.entries(files).filter(([, content]) => !isAbsent(content));
  if (given.length > MOST_FILES)
    throw invalid('files', `must not be more than ${MOST_FILES}`, given.length);
  const length = given.reduce((sum, [, content]) => sum + String(content).length, 0);
  if (length > FILE_CHARACTERS)
    throw invalid('files', `must not be longer than ${FILE_CHARACTERS} characters in all`, length);
  const problem = problemOfPaths(given.map(([path]) => path));
  if (problem) throw invalid('files', problem, Object.keys(files));
  return Object.fromEntries(given.map(([path, content]) => [path, fileIn(path, content)]));
}

function fileIn(path: string, content: unknown): string {
  if (typeof content !== 'string' || !/^[A-Za-z0-9+/]*={0,2}\s*$/.test(content))
    throw invalid('files', `${path} must be Base64`, content);
  return content;
}

function limitsOf({ run_timeout = 10, memory_limit_MB = -1 }: Fields): Partial<RunLimits> {
  if (typeof run_timeout !== 'number' || !(run_timeout > 0))
    throw invalid('run_timeout', 'must be a number of seconds above 0', run_timeout);
  if (typeof memory_limit_MB !== 'number' || Number.isNaN(memory_limit_MB))
    throw invalid('memory_limit_MB', 'must be a number', memory_limit_MB);
  const memoryMb = Math.min(MOST_MEMORY_MB, Math.ceil(memory_limit_MB));
  return {
    cpuMs: Math.ceil(Math.min(LONGEST_RUN_S, run_timeout) * 1000),
    sourceBytes: SOURCE_BYTES,
    ...(memoryMb > 0 ? { memoryMb: Math.max(16, memoryMb) } : {}),
  };
}

/** 422 as FastAPI, which the original is made with, says it. */
function invalid(field: string, problem: string, received: unknown): Problem {
  return new Problem(422, 'bad-request', problem, { field, received });
}

function detail({ message, field, code }: Problem): unknown {
  if (field === undefined) return { detail: message };
  const loc = field === 'body' ? ['body'] : ['body', field];
  return { detail: [{ loc, msg: message, type: code }] };
}

/** What a shell says of a process that was killed, or that aborted. */
const KILLED = 137;
const ABORTED = 134;

function responseOf(ran: Ran, files: Readonly<Record<string, string>>) {
  const run_result = commandResult(ran);
  const isSuccess = run_result.status === 'Finished' && run_result.return_code === 0;
  return {
    status: isSuccess ? 'Success' : 'Failed',
    message: '',
    compile_result: null,
    run_result,
    executor_pod_name: null,
    files,
  };
}

function commandResult(ran: Ran) {
  const { end, stdout, stderr } = ran;
  const time = { execution_time: ran.wallMs / 1000, cpu_time: ran.cpuMs / 1000 };
  if (end === 'time_limit')
    return { status: 'TimeLimitExceeded', ...time, return_code: null, stdout, stderr };
  const killed = end === 'crashed' ? ABORTED : KILLED;
  return {
    status: 'Finished',
    ...time,
    return_code: ran.exitCode ?? killed,
    stdout,
    stderr: end === 'exited' ? stderr : `${stderr}killed: ${end.replaceAll('_', ' ')}\n`,
  };
}
