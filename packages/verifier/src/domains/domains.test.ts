import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { domainsOf, fallbackDomain, isPath, openDomains, PluginError } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'cipo-domains-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
/** A module with this text; its path. */
function plugin(text: string): string {
  const path = join(folder, `plugin-${files++}.mjs`);
  writeFileSync(path, text);
  return path;
}

const domain = (name: string, more = '') =>
  `{ name: ${JSON.stringify(name)}, parse: () => ({}), verify: async () => ({}), ${more} }`;

async function names(text: string): Promise<readonly string[]> {
  const domains = await openDomains({ plugins: [plugin(text)] });
  await domains.close();
  return domains.plugged;
}

async function refusal(text: string): Promise<string> {
  const error = await openDomains({ plugins: [plugin(text)] }).catch((caught) => caught);
  expect(error).toBeInstanceOf(PluginError);
  return `${error.field} | ${error.message.split(': ').slice(2).join(': ')}`;
}

describe('a module may export', () => {
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
  ])('%s', async (_what, text, expected) => {
    expect(await names(text)).toEqual(expected);
  });

  test('a factory is told what every domain is asked for', async () => {
    const text = `export default ({ workers, maxQueue }) => (${'{'} name: 'w' + workers + maxQueue, parse() {}, verify() {} })`;
    const domains = await openDomains({ plugins: [plugin(text)], workers: 3, maxQueue: 5 });
    expect(domains.plugged).toEqual(['w35']);
  });
});

describe('what is wrong with a module is said by the name of the field', () => {
  test.each([
    ['export const x = 1', 'exports | hold no domain; the module exports x'],
    ['export default 7', 'default | must be a domain object, received 7'],
    [
      'export default { name: "Bad Name", parse() {}, verify() {} }',
      'default.name | must be a name of a-z, 0-9, - and _ that starts with a letter, received "Bad Name"',
    ],
    [
      'export const d = { name: "d", verify() {} }',
      'd.parse | must be a function, received undefined',
    ],
    [
      'export default [{ name: "a", parse() {}, verify() {} }, { name: "d", parse() {}, verify: "no" }]',
      'default[1].verify | must be a function, received "no"',
    ],
    [
      'export default { name: "d", parse() {}, verify() {}, close: true }',
      'default.close | must be a function or absent, received true',
    ],
    [
      'export default () => { throw new Error("no licence") }',
      'default | the function failed: no licence',
    ],
    ['throw new Error("broken")', 'module | could not be loaded: broken'],
  ])('%s', async (text, expected) => {
    expect(await refusal(text)).toBe(expected);
  });

  test('a name that is taken', async () => {
    expect(await refusal(`export default ${domain('math')}`)).toMatch(/^name \| "math" is taken/);
    const twice = `export const a = ${domain('one')}, b = ${domain('one')}`;
    expect(await refusal(twice)).toMatch(/"one" is taken; there are math, code, one/);
  });

  test('a file that is not there, and a package that is not', async () => {
    const open = (name: string) => openDomains({ plugins: [name], from: folder });
    await expect(open('./none.ts')).rejects.toThrow(/there is no file .*none\.ts/);
    await expect(open('no-such-package')).rejects.toThrow(/not found/);
  });
});

test('a path is relative to the folder it is looked up from', async () => {
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub', 'own.mjs'), `export default ${domain('own')}`);
  const domains = await openDomains({ plugins: ['./sub/own.mjs'], from: folder });
  expect(domains.names).toEqual(['math', 'code', 'own']);
});

test('paths are told from packages', () => {
  for (const path of ['./a', '../a', '/a/b', 'a.ts', 'a/b.mjs', 'file:///a', 'C:\\a']) {
    expect(isPath(path), path).toBe(true);
  }
  for (const name of ['countdown', '@cipo/countdown', 'math', 'a/b']) {
    expect(isPath(name), name).toBe(false);
  }
});

test('an unknown domain names those there are, and the one that was meant', async () => {
  const domains = await openDomains();
  expect(() => domains.get('poetry')).toThrow(
    'domain: must be one of math, code, received "poetry"',
  );
  expect(() => domains.get('Codes')).toThrow(/did you mean "code"\?/);
  expect(() => domains.get('constructor')).toThrow(/must be one of/);
});

test('a domain is opened once, when it is first asked for, and closed with the set', async () => {
  const domains = await openDomains({ workers: 1 });
  expect(domains.get('math')).toBe(domains.get('math'));
  let closed = 0;
  const own = { ...domains.get('math'), name: 'own', close: async () => void closed++ };
  const set = domainsOf([own]);
  await set.close();
  expect(closed).toBe(1);
  await domains.close();
});

test('rows that name no domain: the one that was asked for, else the only plug-in’s', () => {
  expect(fallbackDomain({ plugged: ['own'] }, 'math')).toBe('math');
  expect(fallbackDomain({ plugged: ['own'] }, undefined)).toBe('own');
  expect(fallbackDomain({ plugged: ['own', 'two'] }, undefined)).toBeUndefined();
  expect(fallbackDomain({ plugged: [] }, undefined)).toBeUndefined();
});
