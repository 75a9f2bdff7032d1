/**
 * Which of an answer's names a test program may see: those that it mentions, less the language's
 * words and the names that the tests themselves lean on.
 */

const RESERVED = `await break case catch class const continue debugger default delete do else enum export
  extends false finally for function if implements import in instanceof interface let new null
  package private protected public return static super switch this throw true try typeof var void
  while with yield arguments eval async of get set`;

/**
 * An answer that declares one of these must not change what the tests mean by it: every global of the
 * realm but the few that programs like to name something of their own.
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

export function namesIn(tests: string): string[] {
  const names = new Set<string>();
  for (const [name] of tests.matchAll(/[A-Za-z_$][\w$]*/g)) {
    if (!EXCLUDED.has(name)) names.add(name);
    if (names.size >= MAX_NAMES) break;
  }
  return [...names];
}

/** `x = ...` and `for (x of ...)`, where it may be a sloppy program's way to make a global. */
const ASSIGNED =
  /(?<![.\w$])([A-Za-z_$][\w$]*)\s*(?==(?![=>]))|\bfor\s*\(\s*([A-Za-z_$][\w$]*)\s+(?=of|in)/g;

/** Where tests put a clock or a chance of their own in, which an answer may not. */
const REPLACED = /(?<![.\w$])(?:global(?:This)?\.)?(?:Math\.(random)|Date\.(now))(?=\s*=(?![=>]))/g;

/** Names that a test program assigns and nobody gave it. */
function looseNames(tests: string, names: readonly string[]): string[] {
  const given = new Set([...EXCLUDED, ...names]);
  const assigned = [...tests.matchAll(ASSIGNED)].map(([, name, looped]) => (name ?? looped)!);
  return [...new Set(assigned)].filter((name) => !given.has(name));
}

/**
 * A test program as a function of the names it gets, ending in a value that only it knows: an answer
 * that ends the run early, in whatever way, has not brought it. It runs in strict mode, where no caller
 * can be had: an answer would read its arguments, or call it to see what it throws. Its globals become
 * variables, which an answer cannot define beforehand. The first value it gets is what it may replace,
 * under a name as secret as the sentinel.
 *
 * @param check throws for a script that does not compile: then the program stays sloppy, and the
 *   answer's functions want a strict caller in between
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
  const loose = looseNames(tests, names);
  const own = loose.length > 0 ? `var ${loose.join(', ')}; ` : '';
  const wrap = (mode: string) => {
    const inner = `(async function () { ${mode}${program}\n;return ${JSON.stringify(sentinel)};\n})`;
    return `(async function (${parameters}) { ${own}return await ${inner}(); })\n//# sourceURL=tests.js`;
  };
  const strict = wrap("'use strict'; ");
  try {
    check(strict);
    return { script: strict, isSloppy: false };
  } catch {
    return { script: wrap(''), isSloppy: true };
  }
}
