/**
 * Which of an answer's names a test program may see: those that it mentions, less the language's
 * words and the names that the tests themselves lean on.
 */

const RESERVED = `await break case catch class const continue debugger default delete do else enum export
  extends false finally for function if implements import in instanceof interface let new null
  package private protected public return static super switch this throw true try typeof var void
  while with yield arguments eval async of get set`;

/** An answer that declares one of these must not change what the tests mean by it. */
const TRUSTED = `Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String
  Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError
  TypeError URIError globalThis JSON Math Intl ArrayBuffer DataView Map BigInt Set WeakMap WeakSet
  Proxy Reflect isFinite isNaN console require module exports process assert Buffer setTimeout
  setInterval setImmediate queueMicrotask`;

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

/**
 * A test program as a function of the names it gets, ending in a value that only it knows: an answer
 * that ends the run early, in whatever way, has not brought it.
 */
export function wrapTests(tests: string, names: readonly string[], sentinel: string): string {
  const inner = `(async function () { ${tests}\n;return ${JSON.stringify(sentinel)};\n})`;
  return `(async function (${names.join(', ')}) { return await ${inner}(); })\n//# sourceURL=tests.js`;
}
