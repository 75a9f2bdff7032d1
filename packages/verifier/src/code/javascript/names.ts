/**
 * Wraps a test program as a function of the attempt's names that it mentions, without reserved
 * words and without the globals on which the tests themselves depend.
 */

const RESERVED = `await break case catch class const continue debugger default delete do else enum export
  extends false finally for function if implements import in instanceof interface let new null
  package private protected public return static super switch this throw true try typeof var void
  while with yield arguments eval async of get set`;

/**
 * Globals whose meaning in the tests a program must not change by declaring them. These are all globals of the realm
 * except a few that programs often declare.
 */
const TRUSTED = `Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String
  Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError
  TypeError URIError SuppressedError globalThis global JSON Math Intl ArrayBuffer Uint8Array Int8Array
  Uint16Array Int16Array Uint32Array Int32Array BigUint64Array BigInt64Array Uint8ClampedArray
  Float16Array Float32Array Float64Array DataView Map BigInt Set Iterator WeakMap WeakSet Proxy Reflect
  DisposableStack AsyncDisposableStack decodeURI decodeURIComponent encodeURI encodeURIComponent isFinite
  isNaN console require module exports process performance assert Buffer TextEncoder TextDecoder btoa
  atob structuredClone URL URLSearchParams setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate
  queueMicrotask`;

const EXCLUDED = new Set(`${RESERVED} ${TRUSTED}`.split(/\s+/));
const MAX_NAMES = 500;

/** The names that a test program mentions and a program may declare. */
export function namesIn(tests: string): string[] {
  const names = new Set<string>();
  for (const [name] of tests.matchAll(/[A-Za-z_$][\w$]*/g)) {
    if (!EXCLUDED.has(name)) names.add(name);
    if (names.size >= MAX_NAMES) break;
  }
  return [...names];
}

/** `x = ...` and `for (x of ...)`: in a sloppy program they may create a global. */
const ASSIGNED =
  /(?<![.\w$])([A-Za-z_$][\w$]*)\s*(?==(?![=>]))|\bfor\s*\(\s*([A-Za-z_$][\w$]*)\s+(?=of|in)/g;

/** Assignments by which tests replace the clock or the random generator. The program may not do that. */
const REPLACED = /(?<![.\w$])(?:global(?:This)?\.)?(?:Math\.(random)|Date\.(now))(?=\s*=(?![=>]))/g;

/** Names that a test program assigns without declaring them. */
function undeclaredNames(tests: string, names: readonly string[]): string[] {
  const known = new Set([...EXCLUDED, ...names]);
  const assigned = [...tests.matchAll(ASSIGNED)].map(([, name, looped]) => (name ?? looped)!);
  return [...new Set(assigned)].filter((name) => !known.has(name));
}

/**
 * Wraps a test program as a function. It returns the sentinel, a secret value: a program that ends the run early, in
 * whatever way, cannot return it. The function is strict, because in strict mode no callee can reach its caller: a
 * program could read the arguments of the tests, or call them to see what they throw. Globals that the tests assign
 * become variables, so that the program cannot define them beforehand. The first parameter holds what the tests may
 * replace, under a name that is as secret as the sentinel.
 *
 * @param check throws if a script does not compile. Then the test program stays sloppy, and the caller must put a
 *   strict function between it and the functions of the attempt
 */
export function wrapTests(
  tests: string,
  names: readonly string[],
  sentinel: string,
  check: (script: string) => void,
): { readonly script: string; readonly isSloppy: boolean } {
  const replaceable = `$${sentinel.replaceAll('-', '')}`;
  const program = tests.replace(REPLACED, (_, ...keys) => `${replaceable}.${keys[0] ?? keys[1]}`);
  const parameters = [replaceable, ...names].join(', ');
  const undeclared = undeclaredNames(tests, names);
  const declarations = undeclared.length > 0 ? `var ${undeclared.join(', ')}; ` : '';
  const wrap = (mode: string) => {
    const inner = `(async function () { ${mode}${program}\n;return ${JSON.stringify(sentinel)};\n})`;
    return `(async function (${parameters}) { ${declarations}return await ${inner}(); })\n//# sourceURL=tests.js`;
  };
  const strict = wrap("'use strict'; ");
  try {
    check(strict);
    return { script: strict, isSloppy: false };
  } catch {
    return { script: wrap(''), isSloppy: true };
  }
}
