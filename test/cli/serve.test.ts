/** `cipo serve` in a real process: signals, what is printed on which stream, and its documentation. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROBLEM_CODES } from '@cipo/service/http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BIN, cipo as call } from './process.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const PAGE = readFileSync(join(ROOT, 'docs/reference/serve.md'), 'utf8');
const TOKEN = 'a-token-of-this-test';
const VARIABLE = 'another-token-of-this-test';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cipo-serve-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cipo = (...args: string[]) => call({ args: ['serve', ...args], cwd: folder });

/** One server for all tests of this file, on a free port. */
class Served {
  readonly #child = spawn(
    process.execPath,
    [BIN, 'serve', '--port', '0', '--workers', '1', '--token-file', 'tokens', '--log', 'pretty'],
    { cwd: folder, env: { ...process.env, NO_COLOR: '1', CIPO_TOKEN: VARIABLE } },
  );
  readonly code = new Promise<number | null>((resolve) => this.#child.once('close', resolve));
  out = '';
  err = '';

  constructor() {
    this.#child.stdout.on('data', (chunk) => {
      this.out += chunk;
    });
    this.#child.stderr.on('data', (chunk) => {
      this.err += chunk;
    });
  }

  get url(): string {
    return /^listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(this.out)?.[1] ?? '';
  }

  async listening(): Promise<void> {
    let ended = false;
    void this.code.then(() => {
      ended = true;
    });
    while (this.url === '' && !ended) await new Promise((resolve) => setTimeout(resolve, 20));
    if (ended) throw new Error(this.err);
  }

  get(path: string, token = TOKEN): Promise<Response> {
    return fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  }

  stop(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

let it: Served;
beforeAll(async () => {
  writeFileSync(join(folder, 'tokens'), `# of the trainer\n${TOKEN}\n\n`);
  writeFileSync(join(folder, 'empty'), '# nothing\n');
  it = new Served();
  await it.listening();
});
afterAll(async () => {
  it.stop('SIGKILL');
  await it.code;
});

test('the server accepts the tokens of the file and of the environment variable', async () => {
  expect((await it.get('/metrics')).status).toBe(200);
  expect((await it.get('/metrics', VARIABLE)).status).toBe(200);
  expect((await it.get('/metrics', '# of the trainer')).status).toBe(401);
});

describe('wrong usage gives one error with exit code 2', () => {
  test.each([
    [['--host', '0.0.0.0'], 'no token is set'],
    [['--host', '10.255.255.1', '--insecure'], 'is not an address of this machine'],
    [['--port', '70000'], 'at most 65535'],
    [['--queue', '5'], 'expected at least batchRows'],
    [['--token-file', 'empty'], 'there is no token in empty'],
    [['--domain', './missing.ts'], 'not found'],
  ])('cipo serve with %j is rejected with "%s"', async (args, words) => {
    const { code, out, err } = await cipo('--log', 'off', ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(words);
    expect(err).not.toMatch(/\n\s+at /);
  });

  test('a port in use is reported', async () => {
    const { code, err } = await cipo('--log', 'off', '--port', new URL(it.url).port);
    expect(code).toBe(2);
    expect(err).toContain('is in use');
  });
});

describe('docs/reference/serve.md', () => {
  test('docs/reference/serve.md has every option of the command with its default, and no other', async () => {
    const { out } = await cipo('--help');
    const described = [...out.matchAll(/^ {2}(--[\w-]+).*?(?:\(default:? "?([\w.]+)"?\))?$/gm)];
    const options = new Map(described.map(([, name, value]) => [name, value]));
    for (const name of ['--debug', '-h']) options.delete(name);
    const rows = [...PAGE.matchAll(/^\| `(--[\w-]+)` \| (.*?) \|/gm)];
    expect(rows.map(([, name]) => name).sort()).toEqual([...options.keys()].sort());
    for (const [, name, value] of rows)
      if (/^\d/.test(options.get(name) ?? '')) expect(value, name).toBe(options.get(name));
  });

  test('docs/reference/serve.md has every endpoint, metric and error code', async () => {
    const { paths } = (await (await it.get('/openapi.json')).json()) as { paths: object };
    const missing = (words: readonly string[]) => words.filter((word) => !PAGE.includes(word));
    expect(missing(Object.keys(paths).map((path) => ` ${path}`))).toEqual([]);
    expect(missing(PROBLEM_CODES.map((code) => `\`${code}\``))).toEqual([]);
    const metrics = await (await it.get('/metrics')).text();
    const names = [...metrics.matchAll(/^# TYPE (cipo_\w+)/gm)].map(([, name]) => name);
    const listed = [...PAGE.matchAll(/^\| `(cipo_\w+)/gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual(names.sort());
  });
});

/** A correct program that runs for about a second. */
const SLOW = {
  id: 'slow',
  domain: 'code',
  language: 'javascript',
  response: 'const f = () => { let n = 0; while (n < 1e9) n += 1; return n; };',
  tests: { type: 'call', entry: 'f', cases: [{ args: [], expected: 1e9 }] },
  limits: { cpuMs: 30_000 },
};

test('SIGTERM lets running requests finish, then the process ends with 0', async () => {
  const pending = fetch(`${it.url}/v1/verify`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${TOKEN}`,
      'x-request-id': 'the-slow-one',
    },
    body: JSON.stringify(SLOW),
  });
  for (let running = 0; running === 0; ) {
    const metrics = await (await it.get('/metrics')).text();
    running = Number(/^cipo_rows_running (\d+)$/m.exec(metrics)?.[1]);
  }
  it.stop('SIGTERM');
  expect(await (await pending).json()).toMatchObject({ id: 'slow', status: 'accepted', reward: 1 });
  expect(await it.code).toBe(0);
  expect(it.err).toMatch(/info shutting down, requests in progress: 1/);
  expect(it.err).toMatch(/ 200 POST \/v1\/verify 1 row [\d.]+ ms the-slow-one\n/);
  expect(it.err).not.toContain(TOKEN);
});
