/**
 * Whether a test program in JavaScript or TypeScript can run at all: one that cannot would fail every answer, and one
 * that tests nothing would pass every one. Reads the text, runs nothing; Python's programs are read in its cell.
 */

/** What an answer and its tests may `require`, without `node:`. The guest's `node.js` makes them. */
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

/** Why no answer could be judged by this program; undefined where nothing speaks against it. */
export function problemOfTests(code: string): string | undefined {
  const bare = code.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').trim();
  if (bare === '') return 'must test something';
  const wanted = [...code.matchAll(REQUIRED), ...code.matchAll(IMPORTED)].map((m) => m[2]!);
  const missing = wanted.find((name) => !MODULES.includes(name.replace(/^node:/, '')));
  if (missing !== undefined) return `must not need the module ${JSON.stringify(missing)}`;
  const runner = RUNNER.exec(code)?.[1];
  if (runner === undefined || declares(code, runner)) return undefined;
  return `must call what it tests itself: there is no test runner for ${runner}(...)`;
}

const declares = (code: string, name: string): boolean =>
  new RegExp(`\\b(?:function|const|let|var)[ \\t]+${name}\\b`).test(code);
