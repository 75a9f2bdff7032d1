/** `cipo verify` in real processes: pipes, signals, exit codes, files. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, test } from 'vitest';
import { BIN, cipo } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'cipo-verify-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PARITY = join(import.meta.dirname, '..', '..', 'examples/own-domain/parity.ts');

/** A math row whose response is correct unless `answered` says otherwise. */
const sum = (i: number, answered = i + 1) => ({
  id: `s${i}`,
  answer: `${i + 1}`,
  response: `\\boxed{${answered}}`,
});
const jsonl = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return name;
}

const verify = (...args: string[]) => cipo({ args: ['verify', ...args], cwd: folder });
const parsed = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('rows of all kinds get a verdict each, in their order, and the summary counts them', async () => {
  const tests = { type: 'call', entry: 'f', cases: [{ args: [1], expected: 2 }] };
  const rows = [
    { id: 'slow', language: 'js', tests, response: 'const f = (x) => x + 1' },
    sum(1),
    { id: 'wrong', language: 'js', tests, response: 'const f = (x) => x' },
    {
      data_source: 'gsm8k',
      reward_model: { ground_truth: '4' },
      extra_info: { index: 9 },
      solution_str: '\\boxed{5}',
    },
  ];
  const { code, out, err } = await verify(file('kinds.jsonl', jsonl(rows)), '--workers', '1');
  expect(parsed(out)).toMatchObject([
    { id: 'slow', status: 'accepted', passed: true, reward: 1 },
    { id: 's1', status: 'accepted', passed: true, reward: 1 },
    { id: 'wrong', status: 'wrong_answer', passed: false, reward: 0 },
    { id: 'gsm8k/9', status: 'wrong_answer', passed: false, reward: 0 },
  ]);
  expect(Object.keys(parsed(out)[0])).toEqual([
    'id',
    'status',
    'passed',
    'reward',
    'diagnostics',
    'cpuMs',
    'wallMs',
  ]);
  expect(err).toMatch(/rows +4 +2 +2 +0 +50\.0 % \[15\.0, 85\.0\]/);
  expect(code).toBe(0);
});

test('a row that cannot be parsed gives its line, field and reason, the other rows are judged, exit code 3', async () => {
  const lines = [
    JSON.stringify(sum(1)),
    '{"id":',
    '',
    '{"id":"x","answer":"1"}',
    JSON.stringify(sum(2)),
  ];
  const { code, out, err } = await verify(file('bad.jsonl', lines.join('\n')));
  expect(parsed(out)).toMatchObject([
    { id: 's1', status: 'accepted' },
    {
      id: 'bad.jsonl:2',
      status: 'bad_task',
      passed: null,
      reward: null,
      diagnostics: [{ code: 'bad-task', details: { file: 'bad.jsonl', line: 2, field: 'row' } }],
    },
    { id: 'x', status: 'bad_task', diagnostics: [{ details: { line: 4, field: 'response' } }] },
    { id: 's2', status: 'accepted' },
  ]);
  expect(err).toContain('2 rows could not be judged');
  expect(code).toBe(3);
});

test('rows that cannot be judged give exit code 4, together with rows that cannot be parsed 5', async () => {
  const torn = file(
    'torn.mjs',
    `export default {
      name: 'torn',
      parse: ({ id }) => ({ id, domain: 'torn', prompt: [], reference: 0 }),
      verify: async () => ({ kind: 'void', fault: 'undecided', detail: 'no proof' }),
    }`,
  );
  const row = { id: 'u', response: 'x' };
  const open = await verify(file('open.jsonl', jsonl([row])), '--domain', `./${torn}`);
  expect(parsed(open.out)).toMatchObject([{ status: 'undecided', passed: null, reward: null }]);
  expect(open.code).toBe(4);
  const both = await verify(file('both.jsonl', jsonl([row, 7])), '--domain', `./${torn}`);
  expect(both.code).toBe(5);
});

test('compressed and parquet files are judged together, with a renamed column and --only failed', async () => {
  const parquet = parquetWriteBuffer({
    columnData: [
      { name: 'unique_id', data: ['p1', 'p2'], type: 'STRING' },
      { name: 'answer', data: ['2', '3'], type: 'STRING' },
      { name: 'generated', data: [{ text: '\\boxed{2}' }, { text: '\\boxed{4}' }], type: 'JSON' },
    ],
  });
  const packed = [sum(1), sum(2, 7)].map(({ response, ...row }) => ({
    ...row,
    generated: { text: response },
  }));
  const { code, out, err } = await verify(
    file('a.jsonl.gz', gzipSync(jsonl(packed))),
    file('b.parquet', new Uint8Array(parquet)),
    '--column',
    'response=generated.text',
    '--only',
    'failed',
  );
  expect(parsed(out).map(({ id }) => id)).toEqual(['s2', 'p2']);
  expect(err).toMatch(/total +4 +2 +2/);
  expect(code).toBe(0);
});

test('the error for a row that names nothing to judge by lists the columns of the file', async () => {
  const { code, out } = await verify(file('odd.jsonl', jsonl([{ a: 1, response: 'x' }])));
  expect(code).toBe(3);
  const [verdict] = parsed(out);
  expect(verdict.id).toBe('odd.jsonl:1');
  expect(verdict.diagnostics[0].message).toMatch(/the columns are a, response\b(?!, id)/);
});

test('a renamed column that no row has is reported', async () => {
  const name = file('columns.jsonl', jsonl([sum(1)]));
  const { code, err } = await verify(name, '--column', 'response=nope');
  expect(err).toContain('--column response=nope: no row has a column "nope".');
  expect(err).toContain('\n1 row in ');
  expect(code).toBe(0);
});

test('--set adds fields to rows that lack them, and --keep copies columns to the verdict', async () => {
  const rows = [
    { answer: '5', response: 'The answer is 5.', model: 'm1', split: 7 },
    { answer: '5', response: 'The answer is 5.', options: { extraction: 'boxed' } },
  ];
  const name = file('prose.jsonl', jsonl(rows));
  const set = ['--set', 'options.extraction=any'];
  const { out } = await verify(name, ...set, '--keep', 'model', '--keep', 'split');
  expect(parsed(out)).toMatchObject([
    { model: 'm1', split: 7, status: 'accepted' },
    { status: 'unreadable_answer' },
  ]);
});

test('a plug-in judges the rows that name no domain', async () => {
  const rows = [
    { number: 4, response: 'even' },
    { number: 3, response: 'even' },
    { ...sum(1), domain: 'math' },
  ];
  const { code, out } = await verify(file('parity.jsonl', jsonl(rows)), '--domain', PARITY);
  expect(parsed(out).map(({ reward }) => reward)).toEqual([1, 0, 1]);
  expect(code).toBe(0);
});

test('a plug-in package is found from the folder where the command runs', async () => {
  const pack = join(folder, 'node_modules', 'echo-domain');
  mkdirSync(pack, { recursive: true });
  const manifest = { name: 'echo-domain', type: 'module', exports: { import: './echo.js' } };
  writeFileSync(join(pack, 'package.json'), JSON.stringify(manifest));
  const echo = `export const echoDomain = () => ({
    name: 'echo',
    parse: (row) => ({ id: '', domain: 'echo', prompt: [], reference: row.say }),
    verify: async ({ reference }, { text }) => {
      const passed = text === reference;
      return { kind: 'judged', passed, status: passed ? 'accepted' : 'wrong_answer', diagnostics: [], cpuMs: 0, wallMs: 0 };
    },
  });`;
  writeFileSync(join(pack, 'echo.js'), echo);
  const rows = file(
    'echo.jsonl',
    jsonl([
      { say: 'a', response: 'a' },
      { say: 'a', response: 'b' },
    ]),
  );
  const { code, out } = await verify(rows, '--domain', 'echo-domain');
  expect(parsed(out).map(({ id, reward }) => [id, reward])).toEqual([
    ['echo.jsonl:1', 1],
    ['echo.jsonl:2', 0],
  ]);
  expect(code).toBe(0);

  writeFileSync(join(pack, 'package.json'), JSON.stringify({ ...manifest, exports: './echo.ts' }));
  writeFileSync(join(pack, 'echo.ts'), echo);
  const typed = await verify(rows, '--domain', 'echo-domain');
  expect(typed.code).toBe(2);
  expect(typed.err).toMatch(/TypeScript inside node_modules/);
});

test('guest text never reaches the terminal unescaped, as JSON or with --pretty', async () => {
  const evil = '\u001b[2J\u009b31m\u202e\nfake line';
  const name = file(
    'evil.jsonl',
    jsonl([{ id: evil, answer: '1', response: `${evil}\\boxed{${evil}}` }]),
  );
  for (const args of [[name], [name, '--pretty']]) {
    const { out, err } = await verify(...args);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for control characters
    expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(out).not.toMatch(/^fake line/m);
  }
});

describe('in a pipe', () => {
  const start = (...args: string[]) =>
    spawn(process.execPath, [BIN, 'verify', ...args], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1' },
    });

  test('verdicts are printed before the input ends', async () => {
    const child = start('-', '--quiet');
    const out = child.stdout.setEncoding('utf8')[Symbol.asyncIterator]();
    for (const i of [1, 2]) {
      child.stdin.write(jsonl([sum(i)]));
      expect(JSON.parse((await out.next()).value)).toMatchObject({ id: `s${i}` });
    }
    child.stdin.end();
    expect((await out.next()).done).toBe(true);
  });

  test('a reader that closes the pipe ends the command silently with 141', async () => {
    const rows = jsonl(Array.from({ length: 20_000 }, (_, i) => sum(i)));
    const child = start(file('many.jsonl', rows));
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((done) => child.on('close', done));
    expect({ code, err }).toEqual({ code: 141, err: '' });
  });

  test('Ctrl-C leaves complete lines, and the printed command writes the rest', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => sum(i));
    const child = start('-', '--out', 'part.jsonl');
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.stdin.write(jsonl(rows.slice(0, 20)));
    const part = join(folder, 'part.jsonl');
    const written = () => {
      try {
        return readFileSync(part, 'utf8').split('\n').length - 1;
      } catch {
        return 0;
      }
    };
    while (written() < 20) await new Promise((done) => setTimeout(done, 50));
    child.kill('SIGINT');
    expect(await new Promise((done) => child.on('close', done))).toBe(130);
    expect(err).toContain('cipo verify - --out part.jsonl --skip 20');

    const rest = await verify(
      file('all.jsonl', jsonl(rows)),
      '--out',
      'part.jsonl',
      '--skip',
      '20',
    );
    expect(rest.code).toBe(0);
    expect(parsed(readFileSync(part, 'utf8')).map(({ id }) => id)).toEqual(
      rows.map(({ id }) => id),
    );
  });
});

test('wrong usage gives one error with exit code 2 before any row is read', async () => {
  const name = file('fine.jsonl', jsonl([sum(1)]));
  const calls: [string[], RegExp][] = [
    [['none.jsonl'], /Cannot read none\.jsonl/],
    [['.'], /folder/],
    [[name, '--only', 'good'], /failed, passed, unjudged/],
    [
      [name, '--workers', '0'],
      /--workers <n>' argument '0' is invalid. Expected a whole number of at least 1/,
    ],
    [
      [name, '--set', 'oops'],
      /--set <key.path=value>' argument 'oops' is invalid. Expected name=value/,
    ],
    [[name, '--out', name], /is also an input/],
    [
      [name, '--keep', 'status'],
      /--keep <column>' argument 'status' is invalid. status is a field of the verdict/,
    ],
    [[name, '--domain', './none.ts'], /plug-in .*not found/],
    [[name, '--set', 'options.extraction=foo'], /--set: options\.extraction: .*boxed.*"foo"/],
    [[name, '--set', 'limits.cpuMs=abc'], /--set: limits\.cpuMs: .*"abc"/],
    [
      [name, '--out', 'none/x.jsonl'],
      /--out: cannot write none\/x\.jsonl. There is no folder none\./,
    ],
    [[name, '--out', '.'], /--out: cannot write \.. Expected a file, got a folder/],
    [[file('noise.parquet', randomBytes(3000))], /Expected a parquet file/],
    [[file('table.csv', 'answer,response\n1,2\n')], /Expected JSON Lines or parquet, got CSV/],
    [[file('list.json', `\n [${JSON.stringify(sum(1))}]`)], /got a JSON array. Convert it: jq -c/],
  ];
  for (const [args, message] of calls) {
    const { code, out, err } = await verify(...args);
    expect({ args, code, out }).toEqual({ args, code: 2, out: '' });
    expect(err).toMatch(message);
  }
}, 120_000);
