/** `cipo serve` as a person meets it: a real process, real signals, what is said on which stream, and its page. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BIN, cipo as call } from './process.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const PAGE = readFileSync(join(ROOT, 'docs/serve.md'), 'utf8');
const TOKEN = 'a-token-of-this-test';
const JSON_TYPE = { 'content-type': 'application/json' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cipo-serve-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cipo = (...args: string[]) => call({ args: ['serve', ...args], cwd: folder });

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly err: () => string;
  stop(signal: NodeJS.Signals): void;
  readonly code: Promise<number | null>;
}

/** The command on a port of its own, once it has said where it listens. */
async function served(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Served> {
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0', '--workers', '1', ...args], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const said = await Promise.race([
    new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(`${chunk}`))),
    code.then((it) => Promise.reject(new Error(`it ended with ${it}: ${err}`))),
  ]);
  return {
    url: /^listening on (http:\/\/\S+)\n$/.exec(said)?.[1] ?? `no address in ${said}`,
    err: () => err,
    stop: (signal) => child.kill(signal),
    code,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await code;
    },
  };
}

/** A program that is judged for a good while, and rightly. */
const SLOW = {
  id: 'slow',
  domain: 'code',
  language: 'javascript',
  response: 'const f = () => { let n = 0; while (n < 3e8) n += 1; return n; };',
  tests: { type: 'call', entry: 'f', cases: [{ args: [], expected: 3e8 }] },
  limits: { cpuMs: 30_000 },
};

test('SIGTERM lets what is under way be answered, then ends the process with 0', async () => {
  await using it = await served(['--log', 'pretty']);
  const pending = fetch(`${it.url}/v1/verify`, {
    method: 'POST',
    headers: { ...JSON_TYPE, 'x-request-id': 'the-slow-one' },
    body: JSON.stringify(SLOW),
  });
  for (let running = 0; running === 0; ) {
    const metrics = await (await fetch(`${it.url}/metrics`)).text();
    running = Number(/^cipo_rows_running (\d+)$/m.exec(metrics)?.[1]);
  }
  it.stop('SIGTERM');
  expect(await (await pending).json()).toMatchObject({ id: 'slow', status: 'accepted', reward: 1 });
  expect(await it.code).toBe(0);
  expect(it.err()).toMatch(/info ending: 1 requests? (is|are) under way/);
  expect(it.err()).toMatch(/ 200 POST \/v1\/verify 1 row [\d.]+ ms the-slow-one\n/);
});

test('tokens come from a file and from the environment', async () => {
  writeFileSync(join(folder, 'tokens'), `# of the trainer\n${TOKEN}\n\n`);
  await using it = await served(['--token-file', 'tokens', '--log', 'off'], {
    CIPO_TOKEN: 'another-token-of-this-test',
  });
  const status = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${it.url}/metrics`, { headers })).status;
  };
  expect(await status(TOKEN)).toBe(200);
  expect(await status('another-token-of-this-test')).toBe(200);
  expect(await status('# of the trainer')).toBe(401);
  it.stop('SIGINT');
  expect(await it.code).toBe(0);
  expect(it.err()).toBe('');
});

describe('what cannot be served is refused in words, with exit code 2', () => {
  test.each([
    [['--host', '0.0.0.0'], 'no token is set'],
    [['--host', '10.255.255.1', '--insecure'], 'is no address of this machine'],
    [['--port', '70000'], 'at most 65535'],
    [['--port', '80.5'], 'whole number'],
    [['--queue', '5'], 'must hold one batch'],
    [['--log', 'xml'], 'Allowed choices are json, pretty, off'],
    [['--token-file', 'empty'], 'there is no token in empty'],
    [['--token-file', 'short'], 'at least 16 characters'],
    [['--domain', './missing.ts'], 'there is no file'],
  ])('%j', async (args, words) => {
    writeFileSync(join(folder, 'empty'), '# nothing\n');
    writeFileSync(join(folder, 'short'), 'abc\n');
    const { code, out, err } = await cipo('--log', 'off', ...args);
    expect({ code, out }).toEqual({ code: args[0] === '--domain' ? 1 : 2, out: '' });
    expect(err).toContain(words);
    expect(err).not.toMatch(/\n\s+at /);
  });

  test('a port that is taken', async () => {
    await using it = await served(['--log', 'off']);
    const { code, err } = await cipo('--log', 'off', '--port', new URL(it.url).port);
    expect(code).toBe(2);
    expect(err).toContain('is taken');
  });
});

describe('docs/serve.md', () => {
  test('has every option of the command with its default, and no other', async () => {
    const { out } = await cipo('--help');
    const described = [...out.matchAll(/^ {2}(--[\w-]+).*?(?:\(default:? "?([\w.]+)"?\))?$/gm)];
    const options = new Map(described.map(([, name, value]) => [name, value]));
    for (const name of ['--debug', '-h']) options.delete(name);
    const rows = [...PAGE.matchAll(/^\| `(--[\w-]+)` \| (.*?) \|/gm)];
    expect(rows.map(([, name]) => name).sort()).toEqual([...options.keys()].sort());
    for (const [, name, value] of rows)
      if (/^\d/.test(options.get(name) ?? '')) expect(value, name).toBe(options.get(name));
  });

  test('has every endpoint, metric and code of refusal', async () => {
    await using it = await served(['--log', 'off']);
    const { paths } = (await (await fetch(`${it.url}/openapi.json`)).json()) as { paths: object };
    for (const path of Object.keys(paths)) expect(PAGE, path).toContain(path);
    const metrics = await (await fetch(`${it.url}/metrics`)).text();
    const names = [...metrics.matchAll(/^# TYPE (cipo_\w+)/gm)].map(([, name]) => name);
    const listed = [...PAGE.matchAll(/^\| `(cipo_\w+)/gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual(names.sort());
    const source = ['body', 'context', 'gate', 'guard', 'json', 'pipeline', 'problem', 'replies'];
    const text = source.map((name) =>
      readFileSync(join(ROOT, `packages/service/src/http/${name}.ts`), 'utf8'),
    );
    const codes = text
      .join()
      .matchAll(
        /(?:Problem\(\s*\d{3},\s*|overloaded\(\s*|\d{3}(?: [\w ]+)?'?,\s*)'([a-z]+(?:-[a-z]+)+|draining|internal)'/g,
      );
    const used = new Set([...codes].map(([, code]) => code!));
    expect(used.size).toBeGreaterThan(20);
    for (const code of used) expect(PAGE, code).toContain(`\`${code}\``);
  });
});
