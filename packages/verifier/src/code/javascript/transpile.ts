/**
 * Transpiles TypeScript and JavaScript modules to what the isolate evaluates. swc is loaded when it is first needed. It
 * runs inside the cell, because it crashes on very deep nesting.
 */
import { SourceMap } from 'node:module';
import { runtimeRequire } from '../runtimes.ts';

type Swc = typeof import('@swc/core');
let swc: Swc | undefined;

/** Loads swc. A cell calls it before the attempt's time starts. */
export function loadTranspiler(): Swc {
  swc ??= runtimeRequire()('@swc/core') as Swc;
  return swc;
}

/** Transpiled code. */
export interface Transpiled {
  readonly code: string;
  /** Maps a place in `code` to the source. Lines and columns start at 1. */
  originalPlace(place: {
    line: number;
    column: number;
  }): { line: number; column: number } | undefined;
}

/**
 * Transpiles one program.
 * @param isScript keep what a script with `import()` may depend on: sloppy mode, and `this` at the top
 * @throws {Error} of swc; {@link readTranspileError} reads its text
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
    originalPlace: ({ line, column }) => {
      const entry = map.findEntry(line - 1, column - 1);
      if (!('originalLine' in entry)) return undefined;
      return { line: entry.originalLine + 1, column: entry.originalColumn + 1 };
    },
  };
}

/** Reads message and place from the text of an error of swc. */
export function readTranspileError(error: unknown): {
  message: string;
  line?: number;
  column?: number;
} {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: swc colors its messages
  const text = String(error instanceof Error ? error.message : error).replace(/\u001b\[\d*m/g, '');
  const message = /^\s*[x×]\s+(.+)$/m.exec(text)?.[1] ?? text.split('\n')[0]!.slice(0, 300);
  const place = /\[[^\]\n]*?(\d+):(\d+)\]/.exec(text);
  if (!place) return { message };
  return { message, line: Number(place[1]), column: Number(place[2]) };
}

/** Whether an error message of V8 means that the text is a module and not a script. */
export function wantsModule(message: string): boolean {
  return /import statement|import\.meta|'import|Unexpected token 'export'|await is only valid|missing \) after argument list|Unexpected reserved word/.test(
    message,
  );
}
