/** Tests of top-level `await` in every form, and of programs in which `await` is a name. */
import { afterAll, expect, test } from 'vitest';
import { createCodeVerifier, parseCodeTask } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1, limits: { cpuMs: 2000 } });
afterAll(() => verifier.close());

const printed = async (source: string, language: 'javascript' | 'typescript' = 'javascript') => {
  const ran = await verifier.run({ language, source });
  if (ran.kind === 'void') throw new Error(ran.detail);
  return ran.stdout + ran.stderr;
};

test.each([
  "import {setTimeout as sleep} from 'timers/promises'; await sleep(1); console.log(1)",
  'export {}; await (async () => { console.log(1) })()',
  'const p = Promise.resolve(1);\nconsole.log((await p))',
  'const p = Promise.resolve(1);\nconst [a] = [await p]; console.log(a)',
  'const p = Promise.resolve(1);\nif (await p) console.log(1)',
  'const p = Promise.resolve(1);\nconst { a } = {a: await p}; console.log(a)',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is part of the program
  'const p = Promise.resolve(1);\nconsole.log(`${await p}`)',
  'const p = Promise.resolve(1);\nconst x = true ? await p : 0; console.log(x)',
  'await [2]; console.log(1)',
  'await (async () => { console.log(1) })()',
  'console.log(await +1)',
  'console.log(await `1`)',
  'for await (const x of [1]) console.log(x)',
  "const fs = await import('node:fs'); console.log(typeof fs.readFileSync === 'function' ? 1 : 0)",
])('the top-level await of %s is awaited', async (source) => {
  expect(await printed(source)).toBe('1\n');
  expect(await printed(source, 'typescript')).toBe('1\n');
});

test.each([
  'var await = (x) => x; console.log(await (1))',
  'function await(x) { return x } console.log(await(1))',
  'const await = 0; console.log(await +1)',
  'with ({ a: 1 }) { (async () => { await (0); console.log(a) })() }',
  'x = 1; (async () => { await (0); console.log(x) })()',
  'if (true) { (async () => { await [0]; console.log(1) })(); return } await(2)',
  "console.log(1); // import('fs') and await (this)",
  "x = 1; import('fs').then(() => console.log(this === module.exports ? x : 0))",
  "var await = 1; import('fs').catch(() => 0); console.log(await)",
])('%s runs as a script', async (source) => {
  expect(await printed(source)).toBe('1\n');
});

test("import('fs') works without await", async () => {
  expect(await printed("import('fs').then((fs) => console.log(typeof fs.readFileSync))")).toBe(
    'function\n',
  );
});

test('the syntax error of a script with an async function is that of V8 for scripts', async () => {
  expect(await printed('async function f() { await 1 }\nlet a = ;')).toContain(
    "Unexpected token ';'",
  );
});

test('an entry point may be declared after a top-level await', async () => {
  const cases = [{ args: [1], expected: 2 }];
  const task = parseCodeTask({ language: 'js', tests: { type: 'call', entry: 'f', cases } });
  const code =
    'const [one] = await [Promise.resolve(1)];\nconst by = await one;\nconst f = (x) => x + by;';
  expect(await verifier.verify(task, code)).toMatchObject({ status: 'accepted' });
});

test('the name of an entry point may have letters that are not ASCII', async () => {
  const cases = [{ args: [1], expected: 2 }];
  const task = parseCodeTask({ language: 'js', tests: { type: 'call', entry: 'añadir', cases } });
  const verdict = await verifier.verify(task, 'const añadir = (x) => x + 1;');
  expect(verdict).toMatchObject({ status: 'accepted' });
});
