/** Tests of verdicts in all languages: standard input, TypeScript, assert tests, checkers and Python calls. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Verdict } from '../types.ts';
import { createCodeVerifier, parseCodeTask } from './index.ts';

const verifier = createCodeVerifier({ workers: 1, limits: { cpuMs: 1500 } });
afterAll(() => verifier.close());

const judge = (row: object, answer: string) => verifier.verify(parseCodeTask(row), answer);
const statusOf = (verdict: Verdict) =>
  verdict.kind === 'judged' ? verdict.status : `${verdict.fault}: ${verdict.detail}`;

describe('standard input, JavaScript', () => {
  const sum = {
    language: 'javascript',
    tests: {
      type: 'stdio',
      cases: [
        { input: '2\n3 4\n5 6\n', output: '7\n11\n' },
        { input: '1\n1 1', output: '2' },
      ],
    },
  };
  const solve =
    'const add = (l) => { const [a, b] = l.split(" ").map(Number); console.log(a + b) };';
  test.each([
    [
      'readFileSync(0)',
      `${solve} require("fs").readFileSync(0, "utf8").trim().split("\\n").slice(1).forEach(add)`,
    ],
    [
      'readFileSync("/dev/stdin")',
      `${solve} require("node:fs").readFileSync("/dev/stdin").toString().trim().split("\\n").slice(1).forEach(add)`,
    ],
    [
      'readline lines',
      `${solve} let n; require("readline").createInterface({ input: process.stdin }).on("line", (l) => { if (n === undefined) n = l; else add(l) })`,
    ],
    [
      'readline and close',
      `${solve} const all = []; const rl = require("readline").createInterface({ input: process.stdin }); rl.on("line", (l) => all.push(l)); rl.on("close", () => all.slice(1).forEach(add))`,
    ],
    [
      'readline question',
      `${solve} const rl = require("readline").createInterface({ input: process.stdin }); rl.question("", (n) => { let left = +n; const next = () => { if (left-- > 0) rl.question("", (l) => { add(l); next() }); else rl.close() }; next() })`,
    ],
    [
      'readline for await',
      `${solve} (async () => { let first = true; for await (const l of require("readline").createInterface({ input: process.stdin })) { if (first) first = false; else add(l) } })()`,
    ],
    [
      'readline promises',
      `${solve} (async () => { const rl = require("readline/promises").createInterface({ input: process.stdin }); const n = +(await rl.question("")); for (let i = 0; i < n; i++) add(await rl.question("")); rl.close() })()`,
    ],
    [
      'process.stdin data and end',
      `${solve} let t = ""; process.stdin.on("data", (c) => { t += c }).on("end", () => t.trim().split("\\n").slice(1).forEach(add))`,
    ],
    [
      'process.stdin for await',
      `${solve} (async () => { let t = ""; for await (const c of process.stdin) t += c; t.trim().split("\\n").slice(1).forEach(add) })()`,
    ],
    [
      'process.stdin readable',
      `${solve} let t = ""; process.stdin.on("readable", () => { let c; while ((c = process.stdin.read()) !== null) t += c }); process.stdin.on("end", () => t.trim().split("\\n").slice(1).forEach(add))`,
    ],
    ['prompt()', `${solve} let n = +prompt(); while (n--) add(prompt())`],
    [
      'an ES module with top-level await',
      `import { createInterface } from "node:readline"; ${solve} let first = true; for await (const l of createInterface({ input: process.stdin })) { if (first) first = false; else add(l) }`,
    ],
    [
      'readSync into a buffer',
      `${solve} const b = Buffer.alloc(99); const n = require("fs").readSync(0, b); b.toString("utf8", 0, n).trim().split("\\n").slice(1).forEach(add)`,
    ],
    [
      'readFileSync before an exit',
      `${solve} require("fs").readFileSync(0, "utf8").trim().split("\\n").slice(1).forEach(add); process.exit(0)`,
    ],
  ])('JavaScript reads standard input by %s', async (_name, answer) => {
    expect(statusOf(await judge(sum, answer))).toBe('accepted');
  });

  test('an error after the correct output is an error', async () => {
    const answer = `${solve} require("fs").readFileSync(0, "utf8").trim().split("\\n").slice(1).forEach(add); setTimeout(() => { throw new Error("late") })`;
    expect(statusOf(await judge(sum, answer))).toBe('runtime_error');
  });
});

describe('standard input, Python', () => {
  const sum = {
    language: 'python',
    tests: {
      type: 'stdio',
      cases: [
        { input: '2\n3 4\n5 6\n', output: '7\n11\n' },
        { input: '1\n1 1', output: '2' },
      ],
    },
  };
  test.each([
    ['input()', 'for _ in range(int(input())): print(sum(map(int, input().split())))'],
    [
      'sys.stdin.read()',
      'import sys\nd = sys.stdin.read().split()[1:]\nfor i in range(0, len(d), 2): print(int(d[i]) + int(d[i+1]))',
    ],
    [
      'sys.stdin lines',
      'import sys\nnext(sys.stdin)\nfor line in sys.stdin: print(sum(map(int, line.split())))',
    ],
    [
      'sys.stdin.readline',
      'import sys\ninput = sys.stdin.readline\nfor _ in range(int(input())): sys.stdout.write(str(sum(map(int, input().split()))) + "\\n")',
    ],
    [
      'sys.stdin.buffer',
      'import sys\nd = sys.stdin.buffer.read().split()[1:]\nfor i in range(0, len(d), 2): sys.stdout.buffer.write(b"%d\\n" % (int(d[i]) + int(d[i+1])))',
    ],
    [
      'open(0)',
      'n, *rest = open(0).read().split("\\n")\nfor line in rest[:int(n)]: print(sum(map(int, line.split())))',
    ],
    [
      'open("/dev/stdin")',
      'n, *rest = open("/dev/stdin").readlines()\nfor line in rest: print(sum(map(int, line.split())))',
    ],
    [
      'os.read',
      'import os\nn, *rest = os.read(0, 999).decode().strip().split("\\n")\nfor line in rest: print(sum(map(int, line.split())))',
    ],
    [
      'fileinput',
      'import fileinput\nfor i, line in enumerate(fileinput.input()):\n    if i: print(sum(map(int, line.split())))',
    ],
    [
      'input() until the end',
      'input()\ntry:\n    while True: print(sum(map(int, input().split())))\nexcept EOFError: pass',
    ],
    [
      'input() in a thread with a large stack',
      'import sys, threading\ndef main():\n    for _ in range(int(input())): print(sum(map(int, input().split())))\nsys.setrecursionlimit(10**6)\nthreading.stack_size(2**26)\nt = threading.Thread(target=main)\nt.start()\nt.join()',
    ],
    [
      'os.read of the whole input before os._exit',
      'import io, os\ninput = io.BytesIO(os.read(0, os.fstat(0).st_size)).readline\nfor _ in range(int(input())): print(sum(map(int, input().split())))\nos._exit(0)',
    ],
    [
      'input() with an exit handler that prints',
      'import atexit\nout = []\natexit.register(lambda: print(*out, sep="\\n"))\nfor _ in range(int(input())): out.append(sum(map(int, input().split())))',
    ],
    [
      'input() behind a main guard, before exit()',
      'def main():\n    for _ in range(int(input())): print(sum(map(int, input().split())))\nif __name__ == "__main__":\n    main()\n    exit()',
    ],
  ])('Python reads standard input by %s', async (_name, answer) => {
    expect(statusOf(await judge(sum, answer))).toBe('accepted');
  });
});

describe('TypeScript', () => {
  const row = {
    language: 'typescript',
    tests: { type: 'call', entry: 'f', cases: [{ args: [2], expected: 4 }] },
  };
  test.each([
    [
      'types and generics',
      'const twice = <T extends number>(x: T): number => x * 2; function f(x: number): number { return twice(x) }',
    ],
    ['an enum', 'enum Two { A = 2 } export const f = (x: number) => x * Two.A;'],
    [
      'a namespace',
      'namespace N { export const k = 2 } export default function f(x: number) { return x * N.k }',
    ],
    [
      'an import of an allowed module',
      'import * as assert from "assert"; export function f(x: number) { assert.ok(x); return x * 2 }',
    ],
    [
      'parameter properties',
      'class P { constructor(private readonly k: number) {} by(x: number) { return this.k * x } } const f = (x: number) => new P(2).by(x);',
    ],
  ])('TypeScript with %s is accepted', async (_name, answer) => {
    expect(statusOf(await judge(row, answer))).toBe('accepted');
  });

  test('errors are reported with their lines in TypeScript', async () => {
    const thrown = await judge(
      row,
      'interface A { b: number }\n\nenum E { X }\nfunction f(x: any): number {\n  return x.b.c;\n}',
    );
    expect(thrown.kind === 'judged' && thrown.diagnostics[0]?.at?.line).toBe(5);
    const unreadable = await judge(row, 'const a: number = 1;\nfunction f(x: number { return x }');
    expect(statusOf(unreadable)).toBe('compile_error');
    expect(unreadable.kind === 'judged' && unreadable.diagnostics[0]?.at?.line).toBe(2);
  });
});

describe('assert tests', () => {
  const js = {
    language: 'javascript',
    tests: { type: 'assert', code: 'console.assert(f(2) === 4); console.assert(f(0) === 0)' },
  };
  const py = {
    language: 'python',
    tests: {
      type: 'assert',
      code: 'def check(g):\n    assert g(2) == 4\n    assert abs(g(0.1) - 0.2) < 1e-9\ncheck(f)',
    },
  };
  test.each([
    ['javascript', 'const f = (x) => x * 2', 'accepted'],
    ['javascript', 'const f = (x) => x + 2', 'runtime_error'],
    ['javascript', 'const f = (x) => x * 2; process.exit(0)', 'runtime_error'],
    ['python', 'def f(x): return x * 2', 'accepted'],
    ['python', 'def f(x): return x + 2', 'runtime_error'],
    ['python', 'import sys\ndef f(x): return x * 2\nsys.exit(0)', 'runtime_error'],
  ])('assert tests in %s give %j the status %s', async (language, answer, status) => {
    const row = language === 'python' ? py : js;
    expect(statusOf(await judge(row, answer))).toBe(status);
  });

  test('assert tests in JavaScript may report a failure by the exit code', async () => {
    const code = 'if (f(2) !== 4) process.exitCode = 1';
    const row = { language: 'javascript', tests: { type: 'assert', code } };
    expect(statusOf(await judge(row, 'const f = (x) => x * 2'))).toBe('accepted');
    for (const withdrawal of [
      '',
      'process.on("exit", () => { process.exitCode = 0 })',
      'setTimeout(() => { process.exitCode = 0 }, 50)',
      'Object.defineProperty(process, "exitCode", { get: () => 0, set() {} })',
    ])
      expect(statusOf(await judge(row, `const f = (x) => x + 1; ${withdrawal}`))).toBe(
        'runtime_error',
      );
  });

  const python = (code: string) => ({ language: 'python', tests: { type: 'assert', code } });

  test.each([
    ['it cannot be parsed', 'assert f('],
    ['it needs the module numpy', 'import json, numpy\nassert f(1) == 1'],
    ['it needs the module pytest', 'from pytest import raises\nassert f(1) == 1'],
    ['it tests nothing', '"Tests."\nimport json\ndef check(g): assert g(1) == 1'],
    ['test_f has parameters', 'def test_f(tmp_path): assert f(1) == 1'],
    ['TestF.setup_method needs', 'class TestF:\n  def setup_method(self): pass'],
  ])('a test program is refused because %s', async (reason, code) => {
    const verdict = await judge(python(code), 'def f(x): return x');
    expect(statusOf(verdict)).toMatch(/^bad-task/);
    expect(JSON.stringify(verdict)).toContain(`the test program: ${reason}`);
  });

  test.each([
    ['functions', 'def test_f(n=1): assert f(n) == 1\ndef test_g(): assert f(2) == 2'],
    ['coroutines', 'async def test_f(): assert f(1) == 1 and f(2) == 2'],
    [
      'classes',
      'class TestF:\n  def test_f(self): assert f(1) == 1\n  def test_g(self): assert f(2) == 2',
    ],
    [
      'cases',
      'import unittest\nclass T(unittest.TestCase):\n  def test_f(self): self.assertEqual(f(1), 1)\n  def test_g(self): self.assertEqual(f(2), 2)',
    ],
    [
      'cases behind a guard',
      'import unittest\nclass T(unittest.TestCase):\n  def test_f(self): self.assertEqual((f(1), f(2)), (1, 2))\nif __name__ == "__main__": unittest.main()',
    ],
    [
      'cases with their own runner',
      'from unittest import TestCase, TextTestRunner, defaultTestLoader\nclass T(TestCase):\n  def test_f(self): self.assertEqual((f(1), f(2)), (1, 2))\nTextTestRunner().run(defaultTestLoader.loadTestsFromTestCase(T))',
    ],
    [
      'functions that import the solution',
      'from solution import f as g\nimport solution\ndef test_f(): assert g(1) == 1 and solution.f(2) == 2',
    ],
  ])('tests that a test runner would find in %s are run', async (_name, code) => {
    expect(statusOf(await judge(python(code), 'def f(x): return x'))).toBe('accepted');
    expect(statusOf(await judge(python(code), 'def f(x): return 1'))).toBe('runtime_error');
  });

  test.each([
    ['def f(x): return x * 2', 'accepted'],
    ['def f(x): return x * 3', 'runtime_error'],
    ['import sys\ndef f(x): return x * 2\nif __name__ == "__main__": sys.exit(f(1))', 'accepted'],
  ])(
    'the main guard of Python tests runs, and that of the program does not: %j gets %s',
    async (answer, status) => {
      const code = 'def test(): assert f(2) == 4\nif __name__ == "__main__": test()';
      const guarded = { language: 'python', tests: { type: 'assert', code } };
      expect(statusOf(await judge(guarded, answer))).toBe(status);
    },
  );

  test('Python tests look nothing up in the module of the program', async () => {
    const code =
      'import dataclasses\n@dataclasses.dataclass\nclass Q:\n    a: int\nassert f(3) == Q(1)';
    const row = { language: 'python', tests: { type: 'assert', code } };
    const forged = 'NotImplemented = True\ndef f(x): return object()';
    expect(statusOf(await judge(row, forged))).toBe('runtime_error');
  });
});

describe('a checker', () => {
  const row = (code: string) => ({
    language: 'python',
    tests: {
      type: 'stdio',
      cases: [
        { input: '7', output: '' },
        { input: '9', output: '' },
      ],
      checker: { language: 'javascript', code },
    },
  });
  const sums =
    'function check(input, output) { const [a, b] = output.split(" ").map(Number); return a + b === Number(input) || [a, "+", b, "is not it"].join(" ") }';
  test('a checker accepts every correct output and says what is wrong with others', async () => {
    expect(statusOf(await judge(row(sums), 'print(3, int(input()) - 3)'))).toBe('accepted');
    const wrong = await judge(row(sums), 'print(3, 4)');
    expect(statusOf(wrong)).toBe('wrong_answer');
    expect(wrong.kind === 'judged' && wrong.diagnostics[0]?.message).toContain('3 + 4 is not it');
  });
  test('a checker that fails on an output and accepts the one of the task has rejected it', async () => {
    const checker = 'def check(input, output, expected): return int(output) % int(input) == 0';
    const task = (output: string) => ({
      language: 'python',
      tests: {
        type: 'stdio',
        cases: [
          { input: '7', output },
          { input: '9', output: '9' },
        ],
        checker: { language: 'python', code: checker },
      },
    });
    const garbage = await judge(task('14'), 'print("seven" if input() == "7" else 18)');
    expect(statusOf(garbage)).toBe('wrong_answer');
    expect(statusOf(await judge(task('14'), 'print(int(input()) * 3)'))).toBe('accepted');
    // Without an output of the task that the checker accepts, the fault may be its own.
    expect(statusOf(await judge(task(''), 'print("seven")'))).toMatch(/^bad-task/);
  });
  test.each([
    'function check() { throw 1 }',
    'function other() {}',
    'function check() { return 5 }',
  ])('the checker "%s" makes the verdict void', async (code) =>
    expect(statusOf(await judge(row(code), 'print(1)'))).toMatch(/^bad-task/),
  );
});

describe('Python call tests', () => {
  const row = (expected: unknown, args: unknown[] = [3]) => ({
    language: 'python',
    tests: { type: 'call', entry: 'f', cases: [{ args, expected }] },
  });
  test.each([
    ['a tuple for a list', [1, 2], 'def f(x): return 1, 2', 'accepted'],
    ['integer keys', { 1: [2] }, 'def f(x): return {1: [2]}', 'accepted'],
    ['a set', { $type: 'set', value: [1, 2] }, 'def f(x): return {2, 1}', 'accepted'],
    [
      'a large integer',
      { $type: 'bigint', value: '1267650600228229401496703205376' },
      'def f(x): return 2 ** 100',
      'accepted',
    ],
    ['None', null, 'def f(x): pass', 'accepted'],
    [
      'an async function',
      3,
      'import asyncio\nasync def f(x):\n    await asyncio.sleep(999)\n    return x',
      'accepted',
    ],
    ['class Solution', 3, 'class Solution:\n    def f(self, x): return x', 'accepted'],
    [
      'a deque',
      [1, 2],
      'import collections\ndef f(x): return collections.deque([1, 2])',
      'accepted',
    ],
    ['an array', [1, 2], 'import array\ndef f(x): return array.array("i", [1, 2])', 'accepted'],
    ['an iterator', [1, 2], 'def f(x): return iter([1, 2])', 'accepted'],
    [
      'iterators of itertools',
      [[1], [2, 1]],
      'import itertools\ndef f(x): return itertools.chain([[1]], [itertools.islice([2, 1, 0], 2)])',
      'accepted',
    ],
    [
      'an endless iterator',
      [1],
      'import itertools\ndef f(x): return itertools.count()',
      'output_limit',
    ],
    [
      'a main guard that reads input',
      3,
      'def f(x): return x\nif __name__ == "__main__":\n    n = int(input())',
      'accepted',
    ],
    [
      'classes that are looked up in their module',
      3,
      'import dataclasses, enum, pickle, typing\n@dataclasses.dataclass\nclass P:\n    x: "int"\nclass E(enum.Enum):\n    A = 1\ndef f(x):\n    assert typing.get_type_hints(P) == {"x": int} and pickle.loads(pickle.dumps(E.A)) is E.A\n    return pickle.loads(pickle.dumps(P(x))).x',
      'accepted',
    ],
    ['a wrong value', 4, 'def f(x): return x', 'wrong_answer'],
    [
      'deep recursion',
      20000,
      'import sys\nsys.setrecursionlimit(10**6)\ndef g(n): return 0 if n == 0 else 1 + g(n - 1)\ndef f(x): return g(20000)',
      'accepted',
    ],
    ['too deep a recursion', 0, 'def f(x): return f(x)', 'runtime_error'],
    ['an endless loop', 0, 'def f(x):\n    while True: pass', 'time_limit'],
    ['too much memory', 0, 'def f(x): return len(bytearray(10**9))', 'memory_limit'],
    ['too much output', 0, 'def f(x):\n    while True: print("x" * 10**5)', 'output_limit'],
    ['no such function', 0, 'def g(x): return x', 'missing_entry'],
    ['a syntax error', 0, 'def f(x) return x', 'compile_error'],
    ['JavaScript', 0, 'import js\ndef f(x): return js.eval("1")', 'runtime_error'],
  ])(
    'a Python call test with %s ends with the expected status',
    async (_name, expected, answer, status) => {
      expect(statusOf(await judge(row(expected), answer))).toBe(status);
    },
  );
});

describe('class Solution', () => {
  const calls = (language: string, more: object = {}) => ({
    language,
    tests: {
      type: 'call',
      entry: 'f',
      cases: [1, 2].map((x) => ({ args: [x], expected: [x] })),
    },
    ...more,
  });
  test.each([
    [
      'python',
      'class Solution:\n    def __init__(self): self.seen = []\n    def f(self, x):\n        self.seen.append(x)\n        return self.seen',
    ],
    ['javascript', 'class Solution { seen = []; f(x) { this.seen.push(x); return this.seen } }'],
    [
      'typescript',
      'class Solution { private seen: number[] = []; f(x: number) { this.seen.push(x); return this.seen } }',
    ],
  ])('class Solution in %s is created for every call', async (language, answer) => {
    expect(statusOf(await judge(calls(language), answer))).toBe('accepted');
  });

  test('imports: usual adds the imports and keeps line numbers', async () => {
    const answer = [
      'class Solution:',
      '    def f(self, x: List[int]) -> Optional[int]:',
      '        found = defaultdict(list, {0: [gcd(x, x)]})',
      '        assert random.randint(1, 1) == 1 and inf > max(1, x) and datetime.now()',
      '        return found[0] if x == 1 else [undefined_name]',
    ].join('\n');
    const usual = await judge(calls('python', { imports: 'usual' }), answer);
    expect(usual.kind === 'judged' && usual.diagnostics[0]?.at?.line).toBe(5);
    expect(usual.kind === 'judged' && usual.diagnostics[0]?.details?.test).toBe(1);
    const plain = await judge(calls('python'), answer);
    expect(plain.kind === 'judged' && plain.diagnostics[0]?.at?.line).toBe(3);
  });
});

test('verifyMany keeps the order and agrees with verifying one by one', async () => {
  const task = parseCodeTask({
    language: 'javascript',
    tests: { type: 'call', entry: 'f', cases: [{ args: [1], expected: 1 }] },
  });
  const answers = [...Array(30).keys()].map((i) => `const f = (x) => x + ${i % 3}`);
  const items = answers.map((attempt) => ({ task, attempt }));
  const together: string[] = [];
  for await (const verdict of verifier.verifyMany(items)) together.push(statusOf(verdict));
  const alone = [];
  for (const { attempt } of items) alone.push(statusOf(await verifier.verify(task, attempt)));
  expect(together).toEqual(alone);
  const seen = new Set<number>();
  for await (const { index } of verifier.verifyAsCompleted(items)) seen.add(index);
  expect(seen.size).toBe(30);
});
