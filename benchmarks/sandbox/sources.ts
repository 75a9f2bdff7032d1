/**
 * Public benchmark data as rows of the code domain, with the verdict that each answer must get.
 * The data lies outside the repository: `CIPO_SHARED`, else `../shared`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** One answer with its label. */
export interface Labelled {
  readonly set: string;
  readonly id: string;
  readonly row: Record<string, unknown>;
  readonly answer: string;
  readonly right: boolean;
}

const SLOW = { cpuMs: 60_000, wallMs: 200_000 };

type Row = Record<string, string> & Record<string, unknown>;

const SHARED =
  process.env.CIPO_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url));

export const available = existsSync(`${SHARED}/datasets`);

function read(file: string): Row[] {
  const bytes = readFileSync(`${SHARED}/datasets/${file}`);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Row);
}

const assertRow = (id: string, language: string, prefix: string, code: string) => ({
  id,
  language,
  prefix,
  tests: { type: 'assert', code },
});

function humanEval(): Labelled[] {
  return read('humaneval/humaneval.jsonl').map((r) => ({
    set: 'HumanEval',
    id: r.task_id!,
    row: assertRow(r.task_id!, 'python', r.prompt!, `${r.test}\ncheck(${r.entry_point})`),
    answer: r.canonical_solution!,
    right: true,
  }));
}

function humanEvalFix(): Labelled[] {
  return read('humanevalfix_python/humanevalfix_python.jsonl').flatMap((r) =>
    (['canonical_solution', 'buggy_solution'] as const).map((field) => ({
      set: field === 'buggy_solution' ? 'HumanEvalFix buggy' : 'HumanEvalFix fixed',
      id: `${r.task_id} ${field}`,
      row: assertRow(r.task_id!, 'python', r.prompt!, r.test!),
      answer: r[field] as string,
      right: field !== 'buggy_solution',
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
      limits: SLOW, // mbpp/123 searches for some ten seconds
      tests: { type: 'assert', code: (r.test_list as unknown as string[]).join('\n') },
    },
    answer: r.code!,
    right: true,
  }));
}

function humanEvalX(): Labelled[] {
  return read('humaneval_x_js/humaneval_x_js.jsonl').map((r) => ({
    set: 'HumanEval-X JavaScript',
    id: r.task_id!,
    row: assertRow(r.task_id!, 'javascript', r.prompt!, r.test!),
    answer: r.canonical_solution!,
    right: true,
  }));
}

function mbxp(file: string, set: string, language: string): Labelled[] {
  return read(file).map((r) => ({
    set: `${set} ${r.sample_passed ? 'right' : 'wrong'}`,
    id: r.task_id!,
    row: assertRow(r.task_id!, language, r.prompt!, r.test!),
    answer: r.sample_completion!,
    right: Boolean(r.sample_passed),
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
        set: field === 'solutions' ? 'KTH right' : 'KTH wrong',
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
        answer: solution.code,
        right: field === 'solutions',
      })),
    ),
  );
}

interface Example {
  readonly args: readonly unknown[];
  readonly expected: unknown;
}

/** Methods of `class Solution`; only rows whose examples show the bug have a buggy answer here. */
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
        answer: r[field] as string,
        right: field !== 'buggy_solution',
      })),
  );
}

/** Every set by a short name for the command line. */
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
