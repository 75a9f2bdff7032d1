/** Tests of programs that run without tests: both streams, exit codes and limits in all three languages. */
import { afterAll, describe, expect, test } from 'vitest';
import { type CodeProgram, createCodeVerifier } from './index.ts';

const verifier = createCodeVerifier({ workers: 1, limits: { cpuMs: 600, outputChars: 4000 } });
afterAll(() => verifier.close());

const run = async (language: CodeProgram['language'], source: string, stdin?: string) => {
  const ran = await verifier.run({ language, source, ...(stdin === undefined ? {} : { stdin }) });
  if (ran.kind === 'void') throw new Error(`${ran.fault}: ${ran.detail}`);
  const { end, exitCode, stdout, stderr } = ran;
  return { end, exitCode, stdout, stderr };
};
const exited = (exitCode: number, stdout: string, stderr = '') => ({
  end: 'exited',
  exitCode,
  stdout,
  stderr,
});

describe('Python', () => {
  test('a Python program reads standard input and its output is returned', async () => {
    const source =
      'import sys\nif __name__ == "__main__":\n  print(input()[::-1])\n  print("log", file=sys.stderr)';
    expect(await run('python', source, 'abc\n')).toEqual(exited(0, 'cba\n', 'log\n'));
  });

  test('an error in Python keeps the earlier output and is reported with its line', async () => {
    const ran = await run('python', 'print("a")\nx = 0\nprint(1 / x)');
    expect(ran).toEqual(
      exited(
        1,
        'a\n',
        'Traceback (most recent call last):\n  File "<answer>", line 3\nZeroDivisionError: division by zero\n',
      ),
    );
  });

  test.each([
    ['sys.exit()', 0, ''],
    ['sys.exit(3)', 3, ''],
    ['sys.exit(-1)', 255, ''],
    ['sys.exit("no")', 1, 'no\n'],
    ['raise SystemExit(True)', 1, ''],
  ])('the Python statement %s exits with %i', async (code, exitCode, stderr) => {
    expect(await run('python', `import sys\nprint("x")\n${code}`)).toEqual(
      exited(exitCode, 'x\n', stderr),
    );
  });

  test('a Python program that does not compile reports a SyntaxError on standard error', async () => {
    const { end, exitCode, stderr } = await run('python', 'x = (\n');
    expect({ end, exitCode }).toEqual({ end: 'exited', exitCode: 1 });
    expect(stderr).toContain('SyntaxError');
  });

  test('an exception with a hostile __str__ is still reported', async () => {
    const source =
      'class E(Exception):\n  def __str__(self): raise KeyboardInterrupt\nraise E("x")';
    expect(await run('python', source)).toMatchObject({ end: 'exited', exitCode: 1 });
  });

  test('fences are part of a program that is run', async () => {
    expect(await run('python', 's = """\n```python\nprint(2)\n```\n"""\nprint(1)')).toEqual(
      exited(0, '1\n'),
    );
  });
});

describe.each(['javascript', 'typescript'] as const)('%s', (language) => {
  test('both streams are returned', async () => {
    const source =
      'console.log(require("fs").readFileSync(0, "utf8").trim()); console.error("e", 1); process.stderr.write("f")';
    expect(await run(language, source, 'in\n')).toEqual(exited(0, 'in\n', 'e 1\nf'));
  });

  test('an error keeps the earlier output and is reported with its line', async () => {
    const { exitCode, stdout, stderr } = await run(
      language,
      'console.log("a");\nnull.x;\nconsole.log(1)',
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'a\n' });
    expect(stderr).toMatch(/^TypeError: Cannot read properties of null.*\n {4}at answer\.js:2:/);
  });

  test.each([
    ['process.exit(3)', 3],
    ['process.exitCode = 4', 4],
    ['process.exitCode = -1', 255],
    ['process.exit()', 0],
    ['setTimeout(() => process.exit(5), 1000)', 5],
    ['(async () => { throw new Error("no") })()', 1],
    ['await new Promise(() => {})', 13],
  ])('the statement %s exits with %i', async (code, exitCode) => {
    expect(await run(language, `console.log("x"); ${code}`)).toMatchObject({
      end: 'exited',
      exitCode,
      stdout: 'x\n',
    });
  });

  test('a program that does not compile reports a SyntaxError on standard error', async () => {
    const { end, exitCode, stderr } = await run(language, 'const x = (;\n');
    expect({ end, exitCode }).toEqual({ end: 'exited', exitCode: 1 });
    expect(stderr).toContain('SyntaxError');
  });

  test('after a time limit the output is complete or empty', async () => {
    const { stdout, ...ran } = await run(language, 'console.log("a"); for (;;) {}');
    expect(ran).toEqual({ end: 'time_limit', exitCode: undefined, stderr: '' });
    expect(['a\n', '']).toContain(stdout);
  });
});

test.each([
  ['python', 'while True: pass', 'time_limit'],
  ['python', 'import asyncio\nasyncio.run(asyncio.Event().wait())', 'time_limit'],
  ['python', 'while True: print("x" * 100)', 'output_limit'],
  [
    'python',
    'import sys\ntry:\n  while True: print("x" * 100, file=sys.stderr)\nexcept BaseException: pass',
    'output_limit',
  ],
  ['javascript', 'setInterval(() => {}, 1)', 'time_limit'],
  ['javascript', 'for (;;) console.log("x".repeat(100))', 'output_limit'],
  ['javascript', 'for (;;) console.error("x".repeat(100))', 'output_limit'],
  ['javascript', 'const a = []; for (;;) a.push(new Array(1e5).fill(a.length))', 'memory_limit'],
] as const)('the %s program %s ends at its %s', async (language, source, end) => {
  const { stdout, stderr, ...ran } = await run(language, source);
  expect(ran).toEqual({ end, exitCode: undefined });
  expect(Math.max(stdout.length, stderr.length)).toBeLessThanOrEqual(4000);
});

test('a program finds none of the globals that V8 adds to a context from a snapshot', async () => {
  const names = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'gc', 'arrive'];
  const source = `console.log(${JSON.stringify(names)}.filter((name) => name in globalThis).join())`;
  expect(await run('javascript', source)).toEqual(exited(0, '\n'));
});

test('a forbidden module ends the program with an error and not the sandbox', async () => {
  expect(await run('javascript', 'require("child_process")')).toMatchObject({ exitCode: 1 });
  expect(await run('python', 'import js')).toMatchObject({ exitCode: 1 });
});

test('a source above its limit is not run', async () => {
  const ran = await verifier.run({
    language: 'python',
    source: `#${'x'.repeat(100)}`,
    limits: { sourceChars: 50 },
  });
  expect(ran).toMatchObject({ kind: 'ran', end: 'source_limit' });
});

describe('files beside a program', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const runWith = async (
    language: CodeProgram['language'],
    source: string,
    files: Record<string, string>,
  ) => {
    const packed = Object.entries(files).map(([path, text]) => [path, base64(text)] as const);
    const ran = await verifier.run({ language, source, files: Object.fromEntries(packed) });
    return ran.kind === 'ran' ? { exitCode: ran.exitCode, stdout: ran.stdout } : ran;
  };

  test('Python reads and imports files beside the program', async () => {
    const source =
      'import os, pathlib\nfrom lib.twice import twice\nprint(open("in.txt").read(), twice(4), sorted(os.listdir(".")), pathlib.Path("lib/twice.py").exists())';
    const files = { 'in.txt': 'héllo', 'lib/twice.py': 'def twice(n): return n * 2' };
    expect(await runWith('python', source, files)).toEqual({
      exitCode: 0,
      stdout: "héllo 8 ['in.txt', 'lib'] True\n",
    });
  });

  test('the next program does not find the files of the previous one', async () => {
    const source = 'import os\nprint(os.listdir("."))\nimport lib.twice';
    const ran = await run('python', source);
    expect({ exitCode: ran.exitCode, stdout: ran.stdout }).toEqual({ exitCode: 1, stdout: '[]\n' });
  });

  test('a program cannot write files', async () => {
    const ran = await runWith('python', 'open("in.txt", "w")', { 'in.txt': 'x' });
    expect(ran).toEqual({ exitCode: 1, stdout: '' });
  });

  test.each(['javascript', 'typescript'] as const)(
    '%s reads and requires files beside the program',
    async (language) => {
      const source =
        'const fs = require("fs"); const { twice } = require("./lib/twice"); console.log(fs.readFileSync("./in.txt", "utf8"), twice(require("./n.json").n), fs.existsSync("in.txt"), fs.existsSync("out.txt"), fs.readFileSync("in.txt").length)';
      const files = {
        'in.txt': 'héllo',
        'n.json': '{"n": 4}',
        'lib/twice.js': 'exports.twice = (n) => n * 2',
      };
      expect(await runWith(language, source, files)).toEqual({
        exitCode: 0,
        stdout: 'héllo 8 true false 6\n',
      });
      expect(await runWith(language, 'require("./lib/twice")', {})).toMatchObject({ exitCode: 1 });
    },
  );

  test('a file that is also a folder is refused', async () => {
    const ran = await runWith('python', 'print(1)', { a: 'x', 'a/b': 'x' });
    expect(ran).toMatchObject({ kind: 'void', fault: 'bad-task' });
  });

  test.each(['../x', '/etc/passwd', 'a//b', '', 'a/./b', 'a\0b', 'x'.repeat(201)])(
    'a path like %j is refused',
    async (path) => {
      expect(await runWith('python', 'print(1)', { [path]: 'x' })).toMatchObject({
        kind: 'void',
        fault: 'bad-task',
      });
    },
  );
});
