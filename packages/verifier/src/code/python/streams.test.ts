/** Tests of the standard streams of Python programs. */
import { afterAll, describe, expect, test } from 'vitest';
import { createCodeVerifier } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1, limits: { cpuMs: 2000 } });
afterAll(() => verifier.close());

const STDIN = '2\n3 4\n5 6\n';
const run = async (source: string) => {
  const ran = await verifier.run({ language: 'python', source, stdin: STDIN });
  if (ran.kind !== 'ran') throw new Error(ran.detail);
  return ran;
};

const FAST_IO = `
import os, sys
from io import BytesIO, IOBase
class FastIO(IOBase):
    newlines = 0
    def __init__(self, file):
        self._fd = file.fileno()
        self.buffer = BytesIO()
        self.writable = "x" in file.mode or "r" not in file.mode
        self.write = self.buffer.write if self.writable else None
    def readline(self):
        while self.newlines == 0:
            b = os.read(self._fd, max(os.fstat(self._fd).st_size, 8192))
            self.newlines = b.count(b"\\n") + (not b)
            ptr = self.buffer.tell()
            self.buffer.seek(0, 2), self.buffer.write(b), self.buffer.seek(ptr)
        self.newlines -= 1
        return self.buffer.readline()
    def flush(self):
        if self.writable:
            os.write(self._fd, self.buffer.getvalue())
            self.buffer.truncate(0), self.buffer.seek(0)
class IOWrapper(IOBase):
    def __init__(self, file):
        self.buffer = FastIO(file)
        self.flush = self.buffer.flush
        self.writable = self.buffer.writable
        self.write = lambda s: self.buffer.write(s.encode("ascii"))
        self.readline = lambda: self.buffer.readline().decode("ascii")
sys.stdin, sys.stdout = IOWrapper(sys.stdin), IOWrapper(sys.stdout)
input = lambda: sys.stdin.readline().rstrip("\\r\\n")
for _ in range(int(input())): print(sum(map(int, input().split())))`;

describe('standard streams of Python', () => {
  test.each([
    ['reads and writes by the FastIO template', FAST_IO, '7\n11\n'],
    [
      'reads as many bytes as its input has',
      'import io, os\ninput = io.BytesIO(os.read(0, os.fstat(0).st_size)).readline\nprint(int(input()), input())',
      "2 b'3 4\\n'\n",
    ],
    [
      'reads by the file number of its input',
      'import os, sys\nprint(os.read(sys.stdin.fileno(), 4))',
      "b'2\\n3 '\n",
    ],
    [
      'reads through a path',
      'import pathlib\nprint(pathlib.Path("/dev/stdin").read_text(), end="")',
      STDIN,
    ],
    [
      'looks ahead in its input',
      'import sys\nprint(sys.stdin.buffer.peek(1)[:1], sys.stdin.readline())',
      "b'2' 2\n\n",
    ],
    [
      'reads the attributes of its streams',
      'import sys\nfor s in (sys.stdin, sys.stdout, sys.stderr): print(s.fileno(), s.mode, s.encoding, s.name, s.buffer.mode, s.isatty())\nsys.stdout.reconfigure(line_buffering=True)\nsys.stdin.reconfigure(encoding="utf-8")',
      '0 r utf-8 <stdin> rb False\n1 w utf-8 <stdout> wb False\n2 w utf-8 <stderr> wb False\n',
    ],
    [
      'wraps standard output in another object',
      'import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")\nprint("é")',
      'é\n',
    ],
    [
      'detaches standard output',
      'import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8")\nprint("é")',
      'é\n',
    ],
    [
      'does not flush its own wrapper',
      'import io, sys\nout = io.BufferedWriter(sys.stdout.buffer)\nout.write(b"end\\n")',
      'end\n',
    ],
    [
      'ends with a long chain of objects',
      'class N: pass\nh = None\nfor i in range(200000):\n    n = N()\n    n.next = h\n    h = n\nprint(1)',
      '1\n',
    ],
    [
      'keeps its output in its own object until it is flushed',
      'import os, sys\nclass Out:\n    def __init__(self): self.text = ""\n    def write(self, text): self.text += text\n    def flush(self): os.write(1, self.text.encode())\nsys.stdout = Out()\nprint("kept")',
      'kept\n',
    ],
    [
      'writes half a character at a time',
      'import sys\nfor b in "é€".encode(): sys.stdout.buffer.write(bytes([b]))',
      'é€',
    ],
    [
      'writes text and bytes in turn',
      'import os, sys\nprint("a")\nsys.stdout.buffer.write(b"b\\n")\nos.write(1, b"c\\n")\nprint("d")',
      'a\nb\nc\nd\n',
    ],
    [
      'opens and closes standard output by its number',
      'import os\nwith open(1, "w") as g: g.write("x\\n")\nwith open(1, "wb") as g: g.write(b"y\\n")\nos.fdopen(1, "w").write("z\\n")\nprint("after")',
      'x\ny\nz\nafter\n',
    ],
    ['closes standard output', 'import sys\nprint(1)\nsys.stdout.close()', '1\n'],
    [
      'has exit handlers',
      'import atexit, sys\natexit.register(print, "bye")\natexit.register(print, "first")\nsys.exit(0)',
      'first\nbye\n',
    ],
    ['ends by os._exit', 'import os\nprint(1)\nos._exit(0)', '1\n'],
    [
      'catches the error of a bad file number',
      'import os\ntry: os.write(7, b"")\nexcept OSError as e: print(e)',
      '[Errno 9] Bad file descriptor\n',
    ],
  ])('a program that %s prints what it prints in CPython', async (_name, source, stdout) => {
    expect(await run(source)).toMatchObject({ end: 'exited', exitCode: 0, stdout });
  });

  test('a program exits with the status that it passes to os._exit', async () => {
    expect(await run('import os\nos._exit(3)')).toMatchObject({ end: 'exited', exitCode: 3 });
  });

  test('a program cannot print half of a surrogate pair', async () => {
    expect((await run('print("\\ud800")')).stderr).toContain('UnicodeEncodeError');
  });

  test('a program ends at its output limit even if it catches the exception', async () => {
    const source =
      'while True:\n    try: print("x" * 100000)\n    except BaseException: break\nprint(1)';
    expect((await run(source)).end).toBe('output_limit');
  });
});

test('changes to open files are undone before the next program runs', async () => {
  const look =
    'import os\nprint([os.fstat(i).st_mode for i in (1, 2)], os.isatty(0))\nfor i in (0, 3):\n    try: print(os.listdir(i))\n    except OSError as e: print(e)';
  const before = await run(look);
  for (const source of [
    'import os\nfor i in range(3): os.close(i)',
    'import os\nos.close(0)\nprint(os.open("/lib", os.O_RDONLY), os.open("/lib", os.O_RDONLY))',
    'import os\nfor i in range(3): os.dup2(os.open("/lib", os.O_RDONLY), i)',
  ]) {
    expect(await run(source)).toMatchObject({ exitCode: 0 });
    expect((await run(look)).stdout).toBe(before.stdout);
  }
});
