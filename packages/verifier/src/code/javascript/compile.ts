/**
 * Compiles the source of a program to a script that a realm can load, and maps places in the script back to the source.
 * A plain script is only wrapped. A module or TypeScript goes through swc.
 */
import type { AbnormalEnd, Language } from '../job.ts';
import { placeInProgram, readSyntaxError, wrapProgram } from './program.ts';
import type { Realm } from './realm.ts';
import {
  loadTranspiler,
  readTranspileError,
  type Transpiled,
  transpile,
  wantsModule,
} from './transpile.ts';

/** A script that a realm can load. */
export interface Compiled {
  readonly script: string;
  /** The place in the source to which a stack trace points. */
  placeOf(stack: string): { line: number; column: number } | undefined;
}

/** Compiles a program. `names` are the names whose values the script returns. */
export function compile(
  realm: Realm,
  source: string,
  language: Language,
  names: readonly string[],
): Compiled | AbnormalEnd {
  if (language === 'typescript') return compileModule(realm, source, true, names);
  const problem = syntaxProblem(realm, source);
  const asScript: Compiled | AbnormalEnd = problem
    ? { kind: 'syntax', ...problem }
    : { script: wrapProgram(source, names), placeOf: (stack) => placeInProgram(stack) };
  const mayBeModule = problem
    ? /\b(await|import|export)\b/.test(source)
    : hidesModule(realm, source);
  if (!mayBeModule) return asScript;
  const asModule = compileModule(realm, source, false, names, problem === undefined);
  // A script may use `await` as a name, or have an async function and an unrelated error.
  const isScript = 'kind' in asModule && !(problem && wantsModule(problem.message));
  return isScript ? asScript : asModule;
}

/**
 * Whether a text that V8 accepts as a script means something else as a module: `import(...)`, or `await [x]` at the
 * top.
 */
function hidesModule(realm: Realm, source: string): boolean {
  if (/\bimport\s*\(/.test(source)) return true;
  if (!/\bawait\s*[([`+\-/]/.test(source)) return false;
  // In a static block `await` is not a name, although no function is async.
  return syntaxProblem(realm, `class A { static { ${source}\n} }`) !== undefined;
}

function compileModule(
  realm: Realm,
  source: string,
  isTypeScript: boolean,
  names: readonly string[],
  isScript = false,
): Compiled | AbnormalEnd {
  // Outside of the try: a failure to load swc is an infrastructure failure and not a syntax error.
  loadTranspiler();
  let output: Transpiled;
  try {
    output = transpile(source, isTypeScript, isScript);
  } catch (error) {
    return { kind: 'syntax', ...readTranspileError(error) };
  }
  const isAsync = /\bawait\b/.test(output.code); // it may be at the top, which needs an async wrapper
  const script = wrapProgram(output.code, names, isAsync);
  const problem = syntaxProblem(realm, script);
  if (problem) return { kind: 'syntax', message: problem.message };
  return {
    script,
    placeOf: (stack) => {
      const place = placeInProgram(stack, isAsync);
      return place && output.originalPlace(place);
    },
  };
}

function syntaxProblem(
  realm: Realm,
  source: string,
): ReturnType<typeof readSyntaxError> | undefined {
  try {
    realm.check(source, 'answer.js');
    return undefined;
  } catch (error) {
    const problem = readSyntaxError((error as Error).message);
    return problem.message === 'Illegal return statement' ? undefined : problem;
  }
}
