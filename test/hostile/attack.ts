/**
 * The shape of an attack: an answer to a task that it cannot solve honestly. `f` is asked for `WIN`,
 * a number that the answer may only return once it has reached what it must not reach. So an accepted
 * attack is an escape or a forgery, whatever it did.
 */
export interface Attack {
  readonly kind: string;
  readonly code: string;
  /** How it is tested; `call` unless said otherwise. */
  readonly by?: 'call' | 'assert' | 'stdio';
  /** The assert test's own program, where the usual one has not got what is attacked. */
  readonly tests?: string;
}

/** Stands for the token in the code of an attack. */
export const WIN = 738_491_625;

/** One attack per code, all of a kind. */
export function attacks(kind: string, codes: readonly string[], by?: Attack['by']): Attack[] {
  return codes.map((code) => ({
    kind,
    code: code.replaceAll('WIN', String(WIN)),
    ...(by && { by }),
  }));
}

/** Answers to assert tests of their own. In JavaScript; `assert` is there. */
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

/** An honest answer to a plain task, judged after every attack: it must pass as if nothing had been. */
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
