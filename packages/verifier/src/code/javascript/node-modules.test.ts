/** Node's own modules in the sandbox: each expression means there what it means in Node. */
import { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { createCodeVerifier } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1 });
afterAll(() => verifier.close());

/** What Node makes of an expression, and what the sandbox does. */
const both = async (expressions: readonly string[]) => {
  const source = `(require) => [${expressions.map((e) => `() => ${e}`).join()}].map((run) => {
    try { return JSON.stringify(run()) ?? 'undefined'; } catch (error) { return error.name; }
  })`;
  const ran = await verifier.run({
    language: 'javascript',
    source: `console.log(JSON.stringify((${source})(require)))`,
  });
  if (ran.kind !== 'ran' || ran.stderr) throw new Error(JSON.stringify(ran));
  const inNode: string[] = runInThisContext(source)(createRequire(import.meta.url));
  const name = (texts: string[]) => texts.map((text, i) => `${expressions[i]} → ${text}`);
  return { here: name(JSON.parse(ran.stdout)), inNode: name(inNode) };
};

test('path does what it does in Node', async () => {
  const names = ['', '.', '..', '...', '/', '//', 'a', '/a', 'a/', './a', '../a', 'a/..', 'a/../'];
  names.push(
    '/a/b/c.txt',
    'a//b',
    '//a/b',
    '/../x',
    'a/./b/../../c',
    '.bashrc',
    'a.b.c',
    'a.',
    'x/..a',
  );
  const one = ['normalize', 'dirname', 'basename', 'extname', 'isAbsolute', 'resolve', 'join'];
  const two = ['join', 'resolve', 'basename'];
  const p = "require('path').posix";
  const { here, inNode } = await both([
    ...one.flatMap((f) =>
      names.map((name) => `${p}.${f}(${JSON.stringify(f === 'resolve' ? `/w/${name}` : name)})`),
    ),
    ...two.flatMap((f) =>
      names.flatMap((a) => ['/b', '../c', '', '.c'].map((b) => `${p}.${f}('/r/${a}', '${b}')`)),
    ),
    ...names.map((name) => `${p}.relative('/a/x', '/${name}')`),
    ...names.filter((name) => !name.startsWith('//')).map((name) => `${p}.parse('${name}')`),
    ...names.map((name) => `${p}.format(${p}.parse('${name}'))`),
    `${p}.format({ name: 'a', ext: 'js' })`,
    `${p}.format({ root: '/', base: 'a' })`,
    `${p}.join('/a', '..', 'b')`,
    `${p}.resolve('/a', '/b', 'c')`,
    `${p}.sep + ${p}.delimiter`,
    `${p}.join(1)`,
    `${p}.dirname()`,
  ]);
  expect(here).toEqual(inNode);
});
