/**
 * SandboxFusion's `POST /run_code`: runs a program and returns its output and how it ended. Clients are its PyPI package,
 * verl's `sandbox_fusion` and others with the same protocol. Protocol: `sandbox/server/sandbox_api.py`. Leaves out: data
 * sets (`/submit`, `/get_prompts`), notebooks, and writing files.
 *
 * An infrastructure failure is a 504 with Retry-After. It is the only status that both clients retry: the PyPI client
 * retries every refusal, verl only this one.
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
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
import { isAbsent } from './fields.ts';

const LANGUAGES: Readonly<Record<string, Language>> = {
  python: 'python',
  nodejs: 'javascript',
  js: 'javascript',
  typescript: 'typescript',
  ts: 'typescript',
};

/** Upper bounds. A longer run time or more memory is reduced to these; everything else is rejected. */
const MAX_RUN_S = 60;
const MAX_MEMORY_MB = 1024;
const MIN_MEMORY_MB = 16;
const MAX_SOURCE_CHARS = 1 << 20;
const MAX_FILES = 100;
/** Characters of Base64 over all files. */
const MAX_FILE_CHARS = 4 << 20;

export const SANDBOX_FUSION_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/run_code',
    describe: {
      operationId: 'sandboxFusionRunCode',
      summary: "SandboxFusion's run_code",
      description:
        'Runs a program in a sandbox. `run_timeout` is CPU time in seconds. Languages: python, nodejs, typescript. 504 if the program could not be run and the request may be retried.',
      requestBody: { required: true, content: { 'application/json': { schema: requestSchema() } } },
      responses: { 200: { description: 'RunCodeResponse: `status`, `run_result` and others' } },
    },
    handle: runCode,
    busyStatus: 504,
    problem: formatDetail,
  },
  {
    method: 'GET',
    path: '/v1/ping',
    isPublic: true,
    describe: {
      operationId: 'sandboxFusionPing',
      summary: "SandboxFusion's health check",
      responses: { 200: { description: 'The process is running' } },
    },
    handle: async () => ({ body: 'pong' }),
  },
];

function requestSchema() {
  const seconds = { type: 'number', default: 10 };
  return {
    type: 'object',
    required: ['code', 'language'],
    properties: {
      code: { type: 'string' },
      language: { enum: Object.keys(LANGUAGES) },
      stdin: { type: ['string', 'null'] },
      run_timeout: seconds,
      compile_timeout: { ...seconds, description: 'Ignored: nothing is compiled' },
      memory_limit_MB: { type: 'integer', default: -1 },
      files: {
        type: 'object',
        description: 'Base64 by path. The program can read them, but not write them',
      },
      fetch_files: { type: 'array', items: { type: 'string' } },
    },
  };
}

async function runCode({ body }: RouteRequest, { judge, each }: RouteContext): Promise<Reply> {
  const program = readProgram(body);
  const [ran] = await each([program], (one, signal) => judge.run(one, signal));
  if (ran?.kind !== 'ran') throw notRun(ran);
  return { body: formatResponse(ran, selectFiles(body, program.files ?? {})) };
}

/** The requested `fetch_files`, as they were sent: programs cannot write files. */
function selectFiles(
  body: unknown,
  files: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = isRecord(body) && Array.isArray(body.fetch_files) ? body.fetch_files : [];
  const given = names.filter((name) => typeof name === 'string' && Object.hasOwn(files, name));
  return Object.fromEntries(given.map((name) => [name, files[name]!]));
}

function notRun(reason: Void | undefined): Problem {
  const cause = reason ? `${reason.fault}: ${reason.detail}` : 'unknown';
  const headers = { 'retry-after': '1' };
  return new Problem(504, 'not-run', `the program was not run: ${cause}`, { headers });
}

function readProgram(body: unknown): CodeProgram {
  if (!isRecord(body)) throw invalid('body', 'must be an object', body);
  const { code, stdin } = body;
  if (typeof code !== 'string') throw invalid('code', 'must be a string', code);
  if (code.length > MAX_SOURCE_CHARS) {
    throw invalid('code', `must have at most ${MAX_SOURCE_CHARS} characters`, code);
  }
  if (!isAbsent(stdin) && typeof stdin !== 'string') {
    throw invalid('stdin', 'must be a string or null', stdin);
  }
  return {
    language: readLanguage(body.language),
    source: code,
    stdin: stdin ?? '',
    limits: readLimits(body),
    files: readFiles(body.files),
  };
}

function readLanguage(value: unknown): Language {
  const known =
    typeof value === 'string' && Object.hasOwn(LANGUAGES, value) ? LANGUAGES[value] : undefined;
  if (!known) {
    throw invalid('language', `must be one of ${Object.keys(LANGUAGES).join(', ')}`, value);
  }
  return known;
}

function readFiles(files: unknown): Readonly<Record<string, string>> {
  if (isAbsent(files)) return {};
  if (!isRecord(files)) throw invalid('files', 'must be an object', files);
  const given = Object.entries(files).filter(([, content]) => !isAbsent(content));
  if (given.length > MAX_FILES) {
    throw invalid('files', `must have at most ${MAX_FILES} entries`, given.length);
  }
  const length = given.reduce((sum, [, content]) => sum + String(content).length, 0);
  if (length > MAX_FILE_CHARS) {
    throw invalid('files', `must have at most ${MAX_FILE_CHARS} characters in total`, length);
  }
  const problem = problemOfPaths(given.map(([path]) => path));
  if (problem) throw invalid('files', problem, Object.keys(files));
  return Object.fromEntries(given.map(([path, content]) => [path, readFile(path, content)]));
}

function readFile(path: string, content: unknown): string {
  if (typeof content !== 'string' || !/^[A-Za-z0-9+/]*={0,2}\s*$/.test(content)) {
    throw invalid('files', `${path} must be Base64`, content);
  }
  return content;
}

function readLimits({ run_timeout = 10, memory_limit_MB = -1 }: UnknownRecord): Partial<RunLimits> {
  if (typeof run_timeout !== 'number' || !(run_timeout > 0)) {
    throw invalid('run_timeout', 'must be a number of seconds above 0', run_timeout);
  }
  if (typeof memory_limit_MB !== 'number' || Number.isNaN(memory_limit_MB)) {
    throw invalid('memory_limit_MB', 'must be a number', memory_limit_MB);
  }
  const memoryMb = Math.min(MAX_MEMORY_MB, Math.ceil(memory_limit_MB));
  return {
    cpuMs: Math.ceil(Math.min(MAX_RUN_S, run_timeout) * 1000),
    sourceChars: MAX_SOURCE_CHARS,
    ...(memoryMb > 0 ? { memoryMb: Math.max(MIN_MEMORY_MB, memoryMb) } : {}),
  };
}

/** 422, the status of FastAPI, with which the original server is built. */
function invalid(field: string, problem: string, received: unknown): Problem {
  return new Problem(422, 'bad-request', problem, { field, received });
}

function formatDetail({ message, field, code }: Problem): unknown {
  if (field === undefined) return { detail: message };
  const loc = field === 'body' ? ['body'] : ['body', field];
  return { detail: [{ loc, msg: message, type: code }] };
}

/** Exit codes that a shell reports for SIGKILL and SIGABRT. */
const KILLED = 137;
const ABORTED = 134;

function formatResponse(ran: Ran, files: Readonly<Record<string, string>>) {
  const run_result = formatRunResult(ran);
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

function formatRunResult(ran: Ran) {
  const { end, stdout, stderr } = ran;
  const time = { execution_time: ran.wallMs / 1000, cpu_time: ran.cpuMs / 1000 };
  if (end === 'time_limit') {
    return { status: 'TimeLimitExceeded', ...time, return_code: null, stdout, stderr };
  }
  const signalCode = end === 'crashed' ? ABORTED : KILLED;
  return {
    status: 'Finished',
    ...time,
    return_code: ran.exitCode ?? signalCode,
    stdout,
    stderr: end === 'exited' ? stderr : `${stderr}killed: ${end.replaceAll('_', ' ')}\n`,
  };
}
