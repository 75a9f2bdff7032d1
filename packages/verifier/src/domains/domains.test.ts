import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  createDomainFiles,
  domainsOf,
  fallbackDomain,
  isPath,
  openDomains,
  PluginError,
} from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'cipo-domains-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
/** A module with this text; its path. */
function plugin(text: string): string {
  const path = join(folder, `plugin-${files++}.mjs`);
  writeFileSync(path, text);
  return path;
}

function domain(name: string, more = '') {
  return `{ name: ${JSON.stringify(name)}, parse: () => ({}), verify: async () => ({}), ${more} }`;
}

async function names(text: string): Promise<readonly string[]> {
  const domains = await openDomains({ plugins: [plugin(text)] });
  await domains.close();
  return domains.plugged;
}

async function refusal(text: string): Promise<string> {
  const error = await openDomains({ plugins: [plugin(text)] }).catch((caught) => caught);
  expect(error).toBeInstanceOf(PluginError);
  const parts: string[] = error.message.split(': ').slice(error.field === 'module' ? 1 : 2);
  return `${error.field} | ${parts.join(': ')}`;
}

test('a long message of a failing factory is shortened', async () => {
  const text = `export default () => { throw new Error('a'.repeat(300_000)) }`;
  const error = await openDomains({ plugins: [plugin(text)] }).catch((caught) => caught);
  expect(error).toBeInstanceOf(PluginError);
  expect(error.message.length).toBeLessThan(1_000);
});

test('an import that fails inside a plug-in is named with its file', async () => {
  const missing = plugin(`import 'no-such-package'`);
  await expect(openDomains({ plugins: [missing] })).rejects.toThrow(
    `plug-in ${missing}: cannot find package 'no-such-package' imported from ${missing}`,
  );
});

test('a new domain cannot have the name of a built-in one, or an unusable one', () => {
  expect(() => createDomainFiles('math')).toThrow(/^name: is a built-in domain/);
  expect(() => createDomainFiles('Chess Moves')).toThrow(/^name: expected a-z/);
  expect(Object.keys(createDomainFiles('chess'))).toContain('chess.test.ts');
});

describe('the exports of a plug-in module', () => {
  test.each([
    ['one domain by default', `export default ${domain('one')}`, ['one']],
    ['several in a list', `export default [${domain('one')}, ${domain('two')}]`, ['one', 'two']],
    [
      'named ones',
      `export const a = ${domain('one')}, b = ${domain('two')}, c = 7`,
      ['one', 'two'],
    ],
    ['a factory', `export default (o) => (${domain('one')})`, ['one']],
    ['an async factory', `export default async () => [${domain('one')}]`, ['one']],
    [
      'a named factory',
      `export const chessDomain = () => (${domain('one')}), help = () => 1`,
      ['one'],
    ],
    ['the same one twice', `export const a = ${domain('one')}; export default a`, ['one']],
  ])('a module may export %s', async (_what, text, expected) => {
    expect(await names(text)).toEqual(expected);
  });

  test('a factory is called with the options of all domains', async () => {
    const text = `export default ({ workers, maxQueue }) => (${'{'} name: 'w' + workers + maxQueue, parse() {}, verify() {} })`;
    const domains = await openDomains({ plugins: [plugin(text)], workers: 3, maxQueue: 5 });
    expect(domains.plugged).toEqual(['w35']);
  });
});

describe('a module that cannot be used', () => {
  test.each([
    ['export const x = 1', 'exports | expected a domain, got x'],
    ['export default 7', 'default | expected a domain object, got 7'],
    [
      'export default { name: "Bad Name", parse() {}, verify() {} }',
      'default.name | expected a name of a-z, 0-9, - and _ that starts with a letter, got "Bad Name"',
    ],
    ['export const d = { name: "d", verify() {} }', 'd.parse | expected a function, got undefined'],
    [
      'export default [{ name: "a", parse() {}, verify() {} }, { name: "d", parse() {}, verify: "no" }]',
      'default[1].verify | expected a function, got "no"',
    ],
    [
      'export default { name: "d", parse() {}, verify() {}, close: true }',
      'default.close | expected a function or nothing, got true',
    ],
    [
      'export default () => { throw new Error("no licence") }',
      'default | the function failed: no licence',
    ],
    ['throw new Error("broken")', 'module | cannot be loaded: broken'],
  ])('the error names the field at fault of: %s', async (text, expected) => {
    expect(await refusal(text)).toBe(expected);
  });

  test('a domain name that is already taken is refused', async () => {
    expect(await refusal(`export default ${domain('math')}`)).toMatch(
      /^name \| "math" is already used/,
    );
    const twice = `export const a = ${domain('one')}, b = ${domain('one')}`;
    expect(await refusal(twice)).toMatch(/"one" is already used; there are math, code, one/);
  });

  test('a missing file and a missing package have different messages', async () => {
    const open = (name: string) => openDomains({ plugins: [name], from: folder });
    await expect(open('./none.ts')).rejects.toThrow(
      /^plug-in \.\/none\.ts: module .*none\.ts not found$/,
    );
    await expect(open('no-such-package')).rejects.toThrow(
      /^plug-in no-such-package: package not found from /,
    );
  });
});

test('a plug-in path is relative to the given folder', async () => {
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub', 'own.mjs'), `export default ${domain('own')}`);
  const domains = await openDomains({ plugins: ['./sub/own.mjs'], from: folder });
  expect(domains.names).toEqual(['math', 'code', 'own']);
});

test('file paths are distinguished from package names', () => {
  for (const path of ['./a', '../a', '/a/b', 'a.ts', 'a/b.mjs', 'file:///a', 'C:\\a']) {
    expect(isPath(path), path).toBe(true);
  }
  for (const name of ['countdown', '@cipo/countdown', 'math', 'a/b']) {
    expect(isPath(name), name).toBe(false);
  }
});

test('the error for an unknown domain lists the known ones and suggests the closest', async () => {
  const domains = await openDomains();
  expect(() => domains.get('poetry')).toThrow(
    'domain: expected one of math, code, received "poetry"',
  );
  expect(() => domains.get('Codes')).toThrow(/did you mean "code"\?/);
  expect(() => domains.get('constructor')).toThrow(/expected one of/);
});

test('a domain is opened once, on first use, and closed with the set', async () => {
  const domains = await openDomains({ workers: 1 });
  expect(domains.get('math')).toBe(domains.get('math'));
  let closed = 0;
  const own = { ...domains.get('math'), name: 'own', close: async () => void closed++ };
  const set = domainsOf([own]);
  await set.close();
  expect(closed).toBe(1);
  await domains.close();
});

test('the fallback domain is the configured one, else that of the only plug-in', () => {
  expect(fallbackDomain({ plugged: ['own'] }, 'math')).toBe('math');
  expect(fallbackDomain({ plugged: ['own'] }, undefined)).toBe('own');
  expect(fallbackDomain({ plugged: ['own', 'two'] }, undefined)).toBeUndefined();
  expect(fallbackDomain({ plugged: [] }, undefined)).toBeUndefined();
});
