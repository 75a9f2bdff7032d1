/** Tests of how the files of the guest are joined. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { guestScript, readGuestFile } from './guest.ts';

/** Names that a file declares at its top. */
function declared(source: string): string[] {
  const single = source.matchAll(/^(?:export )?(?:async )?(?:const|let|function\*?|class) (\w+)/gm);
  const several = source.matchAll(/^(?:export )?const [{[]([^=]*)[}\]] = /gm);
  return [
    ...[...single].map(([, name]) => name!),
    ...[...several].flatMap(([, names]) =>
      [...names!.matchAll(/(\w+)\s*(?:,|$)/g)].map((m) => m[1]!),
    ),
  ];
}

test('no two files of the guest declare the same top-level name, because they share one closure', () => {
  const files = readdirSync(new URL('../../../guest/javascript/', import.meta.url));
  const names = files.flatMap((file) => declared(readGuestFile(file)).map((name) => [name, file]));
  expect(names.length).toBeGreaterThan(200);
  const twice = names.filter(([name], i) => names.findIndex(([other]) => other === name) < i);
  expect(twice).toEqual([]);
});

test('the joined files of the guest compile as a script', () => {
  expect(() => new Function(`return ${guestScript()}`)).not.toThrow();
});
