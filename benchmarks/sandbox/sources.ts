/**
 * Public benchmark data as rows of the code domain, with the label of each attempt. The data is outside of the
 * repository, in the folder that the environment variable `CIPO_SHARED` names, else in `../shared`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** One attempt with its label. */
export interface Labelled {
  readonly set: string;
  readonly id: string;
  readonly row: Record<string, unknown>;
  readonly program: string;
  readonly isCorrect: boolean;
}

const SLOW = { cpuMs: 60_000, wallMs: 200_000 };

type Row = Record<string, string> & Record<string, unknown>;

const SHARED =
  process.env.CIPO_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url));

/** Whether the data is there. */
export const isAvailable = existsSync(`${SHARED}/datasets`);

function read(file: string): Row[] {
  const bytes = readFileSync(`${SHARED}/datasets/${file}`);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Row);
}

function assertRow(id: string, language: string, prefix: string, code: string) {
  return { id, language, prefix, tests: { type: 'assert', code } };
}

function humanEval(): Labelled[] {
  return read('humaneval/humaneval.jsonl').map((r) => ({
    set: 'HumanEval',
    id: r.task_id!,
    row: assertRow(r.task_id!, 'python', r.prompt!, `${r.test}\ncheck(${r.entry_point})`),
    program: r.canonical_solution!,
    isCorrect: true,
  }));
}

function humanEvalFix(): Labelled[] {
  return read('humanevalfix_python/humanevalfix_python.jsonl').flatMap((r) =>
    (['canonical_solution', 'buggy_solution'] as const).map((field) => ({
      set: field === 'buggy_solution' ? 'HumanEvalFix buggy' : 'HumanEvalFix fixed',
      id: `${r.task_id} ${field}`,
      row: assertRow(r.task_id!, 'python', r.prompt!, r.test!),
      program: r[field] as string,
      isCorrect: field !== 'buggy_solution',
    })),
  );
}

function mbpp(): Labelled[] {
  return read('mbpp/mbpp.jsonl').map((r) => ({
    set: 'MBPP',
    id: r.task_id!,
    row: {
      id: r.task_id,
      language: 'python',
      setup: { after: r.test_setup_code },
      limits: SLOW, // mbpp/123 needs about ten seconds
      tests: { type: 'assert', code: (r.test_list as unknown as string[]).join('\n') },
    },
    program: r.code!,
    isCorrect: true,
  }));
}

function humanEvalX(): Labelled[] {
  return read('humaneval_x_js/humaneval_x_js.jsonl').map((r) => ({
    set: 'HumanEval-X JavaScript',
    id: r.task_id!,
    row: assertRow(r.task_id!, 'javascript', r.prompt!, r.test!),
    program: r.canonical_solution!,
    isCorrect: true,
  }));
}

function mbxp(file: string, set: string, language: string): Labelled[] {
  return read(file).map((r) => ({
    set: `${set} ${r.sample_passed ? 'correct' : 'incorrect'}`,
    id: r.task_id!,
    row: assertRow(r.task_id!, language, r.prompt!, r.test!),
    program: r.sample_completion!,
    isCorrect: Boolean(r.sample_passed),
  }));
}

interface Solution {
  readonly language: string;
  readonly name: string;
  readonly code: string;
}

function kth(): Labelled[] {
  return read('stdio_kth/kth_challenge.jsonl').flatMap((r) =>
    (['solutions', 'wrong_solutions'] as const).flatMap((field) =>
      (r[field] as unknown as Solution[]).map((solution) => ({
        set: field === 'solutions' ? 'KTH correct' : 'KTH incorrect',
        id: `${r.id}/${solution.name}`,
        row: {
          id: r.id,
          language: solution.language,
          tests: {
            type: 'stdio',
            cases: r.tests,
            ignoreCase: true,
            tolerance: r.float_tolerance,
          },
          stopAtFirst: true,
          limits: { cpuMs: 200_000, testCpuMs: 20_000, wallMs: 900_000, memoryMb: 1024 },
        },
        program: solution.code,
        isCorrect: field === 'solutions',
      })),
    ),
  );
}

interface Example {
  readonly args: readonly unknown[];
  readonly expected: unknown;
}

/** Methods of `class Solution`. Leaves out buggy programs whose bug no example shows. */
function debugBench(): Labelled[] {
  const rows = read('debugbench/python3.jsonl.gz').filter((r) => r.example_tests !== undefined);
  return rows.flatMap((r) =>
    (['canonical_solution', 'buggy_solution'] as const)
      .filter((field) => field === 'canonical_solution' || r.buggy_fails_examples)
      .map((field) => ({
        set: field === 'buggy_solution' ? 'DebugBench buggy' : 'DebugBench fixed',
        id: `${r.id} ${field}`,
        row: {
          id: r.id,
          language: 'python',
          imports: 'usual',
          tests: {
            type: 'call',
            entry: r.entry_point,
            cases: (r.example_tests as unknown as Example[]).map(({ args, expected }) => ({
              args,
              expected,
            })),
            tolerance: { relative: 1e-5, absolute: 1e-5 },
          },
        },
        program: r[field] as string,
        isCorrect: field !== 'buggy_solution',
      })),
  );
}

/** Every set by its name on the command line. */
export const SETS: Record<string, () => Labelled[]> = {
  humaneval: humanEval,
  humanevalfix: humanEvalFix,
  mbpp,
  humanevalx: humanEvalX,
  mbjsp: () => mbxp('mbpp_js/mbpp_js.jsonl', 'MBXP JavaScript', 'javascript'),
  mbtsp: () => mbxp('mbpp_ts/mbpp_ts.jsonl', 'MBXP TypeScript', 'typescript'),
  debugbench: debugBench,
  kth,
};
