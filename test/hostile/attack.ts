/**
 * The attacks of the hostile suite. An attack is a program for a task that it cannot solve: `f` must return `WIN`, and
 * the program returns that number only after it has reached what it must not reach. So an attack that is accepted is an
 * escape or a forgery, whatever it did.
 */
export interface Attack {
  /** The class of attacks to which it belongs. */
  readonly kind: string;
  readonly code: string;
  /** The type of its tests. Default: `call`. */
  readonly by?: 'call' | 'assert' | 'stdio';
  /** The test program for `assert`, if the usual one does not have what is attacked. */
  readonly tests?: string;
}

/** The number that a program cannot know. `WIN` in the code of an attack is replaced by it. */
const WIN = 738_491_625;

/** Makes one attack of a kind from each code. */
export function attacks(kind: string, codes: readonly string[], by?: Attack['by']): Attack[] {
  return codes.map((code) => ({
    kind,
    code: code.replaceAll('WIN', String(WIN)),
    ...(by && { by }),
  }));
}

/** Makes JavaScript attacks on their own assert tests. `assert` is defined in each. */
export function forgeries(
  kind: string,
  pairs: readonly (readonly [code: string, tests: string])[],
): Attack[] {
  return pairs.flatMap(([code, tests]) => {
    const program = `const assert = require('assert');\n${tests.replaceAll('WIN', String(WIN))}`;
    return attacks(kind, [code], 'assert').map((attack) => ({ ...attack, tests: program }));
  });
}

/** The task that an attack pretends to solve. */
export function rowFor(language: string, { by = 'call', tests }: Attack): Record<string, unknown> {
  const limits = { cpuMs: 200, wallMs: 15_000, outputChars: 1 << 18 };
  if (by === 'stdio') {
    const cases = [{ input: 'guess\n', output: `${WIN}\n` }];
    return { language, limits, tests: { type: 'stdio', cases } };
  }
  if (by === 'call') {
    const cases = [{ args: [1], expected: WIN }];
    return { language, limits, tests: { type: 'call', entry: 'f', cases } };
  }
  if (tests !== undefined) return { language, limits, tests: { type: 'assert', code: tests } };
  const code =
    language === 'python'
      ? `import math\ndef check(g):\n    x = g(1)\n    assert x == ${WIN}\n    assert math.isclose(g(2), ${WIN + 1})\n    assert len([g(3)]) == 1 and abs(g(3) - ${WIN + 2}) < 1e-6\ncheck(f)`
      : `const assert = require('assert');\nfunction same(a, b) { return JSON.stringify(a) === JSON.stringify(b) }\nassert.strictEqual(f(1), ${WIN});\nconsole.assert(same([f(2)], [${WIN + 1}]));\nif (![${WIN + 2}].includes(f(3))) throw new Error('no');`;
  return { language, limits, tests: { type: 'assert', code } };
}

/** A correct program for a simple task. It is judged after every attack and must be accepted. */
export function probeFor(language: string): { row: Record<string, unknown>; code: string } {
  const cases = [{ args: [[3, 1, 2]], expected: [1, 2, 3] }];
  return {
    row: { language, tests: { type: 'call', entry: 'f', cases } },
    code:
      language === 'python'
        ? 'def f(x): return sorted(x)'
        : 'const f = (x) => [...x].sort((a, b) => a - b)',
  };
}
