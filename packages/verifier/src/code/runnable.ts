/**
 * Checks whether a test program in JavaScript or TypeScript can run. One that cannot would reject every attempt, and
 * one that tests nothing would accept every attempt. Leaves out: Python, whose test programs are checked in its cell.
 */

/** The modules that programs and tests may `require`, without `node:`. The guest's `node.js` implements them. */
export const MODULES: readonly string[] = [
  'assert',
  'assert/strict',
  'buffer',
  'console',
  'events',
  'fs',
  'fs/promises',
  'lodash',
  'os',
  'path',
  'perf_hooks',
  'process',
  'readline',
  'readline/promises',
  'string_decoder',
  'timers',
  'timers/promises',
  'url',
  'util',
];

const REQUIRED = /\brequire\(\s*(['"])([^'"\n]+)\1\s*\)/g;
const IMPORTED = /^[ \t]*import\b[^'";]*(['"])([^'"\n]+)\1/gm;
const RUNNER = /^[ \t]*(describe|it|test)(?:\.\w+)?\([ \t]*['"`]/m;

/** Why no attempt could be judged by this test program. Undefined if no problem was found. */
export function problemOfTests(code: string): string | undefined {
  const bare = code.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').trim();
  if (bare === '') return 'must test something';
  const required = [...code.matchAll(REQUIRED), ...code.matchAll(IMPORTED)].map((m) => m[2]!);
  const missing = required.find((name) => !MODULES.includes(name.replace(/^node:/, '')));
  if (missing !== undefined)
    return `must not require the module ${JSON.stringify(missing)}, which the sandbox does not have`;
  const runner = RUNNER.exec(code)?.[1];
  if (runner === undefined || declares(code, runner)) return undefined;
  return `must call the code that it tests directly: the sandbox has no test runner that defines ${runner}(...)`;
}

function declares(code: string, name: string): boolean {
  return new RegExp(`\\b(?:function|const|let|var)[ \\t]+${name}\\b`).test(code);
}
