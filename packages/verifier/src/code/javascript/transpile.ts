/**
 * TypeScript, and JavaScript written as a module, to what the isolate evaluates. swc is loaded when it
 * is first needed and runs inside the cell, which absorbs its crashes on absurd nesting.
 */
import { SourceMap } from 'node:module';
import { runtimeRequire } from '../runtimes.ts';

type Swc = typeof import('@swc/core');
let swc: Swc | undefined;

/** Loads swc ahead of the first answer that needs it. */
export function loadTranspiler(): Swc {
  swc ??= runtimeRequire()('@swc/core') as Swc;
  return swc;
}

export interface Transpiled {
  readonly code: string;
  /** From a place in `code` to the place in the source, both 1-based. */
  original(place: { line: number; column: number }): { line: number; column: number } | undefined;
}

/**
 * @param isScript keep what a script may lean on beside `import()`: sloppy mode, and `this` at the top
 * @throws {Error} swc's, whose text {@link readTranspileError} understands
 */
export function transpile(source: string, isTypeScript: boolean, isScript = false): Transpiled {
  const output = loadTranspiler().transformSync(source, {
    filename: isTypeScript ? 'answer.ts' : 'answer.js',
    swcrc: false,
    configFile: false,
    sourceMaps: true,
    isModule: true,
    jsc: {
      parser: isTypeScript
        ? { syntax: 'typescript', decorators: true }
        : { syntax: 'ecmascript', decorators: true },
      target: 'es2022',
    },
    module: { type: 'commonjs', strictMode: !isScript, allowTopLevelThis: isScript },
  });
  const map = new SourceMap(JSON.parse(output.map ?? '{"version":3,"sources":[],"mappings":""}'));
  return {
    code: output.code,
    original: ({ line, column }) => {
      const entry = map.findEntry(line - 1, column - 1);
      if (!('originalLine' in entry)) return undefined;
      return { line: entry.originalLine + 1, column: entry.originalColumn + 1 };
    },
  };
}

/** Message and place from swc's picture of an error. */
export function readTranspileError(error: unknown): {
  message: string;
  line?: number;
  column?: number;
} {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: swc colours its words
  const text = String(error instanceof Error ? error.message : error).replace(/\u001b\[\d*m/g, '');
  const message = /^\s*[x×]\s+(.+)$/m.exec(text)?.[1] ?? text.split('\n')[0]!.slice(0, 300);
  const place = /\[[^\]\n]*?(\d+):(\d+)\]/.exec(text);
  if (!place) return { message };
  return { message, line: Number(place[1]), column: Number(place[2]) };
}

/** Does this message say that the text is a module, which plain evaluation cannot take? */
export function wantsModule(message: string): boolean {
  return /import statement|import\.meta|'import|Unexpected token 'export'|await is only valid|missing \) after argument list|Unexpected reserved word/.test(
    message,
  );
}
