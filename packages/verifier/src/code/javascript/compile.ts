/**
 * From an answer's source to a script that a realm can load, with the way back for places in it.
 * Plain evaluation first; a module or TypeScript goes through swc.
 */
import type { Language, Trouble } from '../job.ts';
import { placeInAnswer, readSyntaxError, wrapProgram } from './program.ts';
import type { Realm } from './realm.ts';
import {
  loadTranspiler,
  readTranspileError,
  type Transpiled,
  transpile,
  wantsModule,
} from './transpile.ts';

export interface Compiled {
  readonly script: string;
  /** Where in the source a stack trace points. */
  place(stack: string): { line: number; column: number } | undefined;
}

export function compile(
  realm: Realm,
  source: string,
  language: Language,
  names: readonly string[],
): Compiled | Trouble {
  if (language === 'typescript') return compileModule(realm, source, true, names);
  const problem = syntaxProblem(realm, source);
  const asScript: Compiled | Trouble = problem
    ? { kind: 'syntax', ...problem }
    : { script: wrapProgram(source, names), place: (stack) => placeInAnswer(stack) };
  const mayBeModule = problem
    ? /\b(await|import|export)\b/.test(source)
    : hidesModule(realm, source);
  if (!mayBeModule) return asScript;
  const asModule = compileModule(realm, source, false, names, problem === undefined);
  // A script may have a variable `await`, or an async function beside an error of another kind.
  const isScript = 'kind' in asModule && !(problem && wantsModule(problem.message));
  return isScript ? asScript : asModule;
}

/** Does a text that is a script for V8 say more as a module: `import(...)`, or `await [x]` at the top? */
function hidesModule(realm: Realm, source: string): boolean {
  if (/\bimport\s*\(/.test(source)) return true;
  if (!/\bawait\s*[([`+\-/]/.test(source)) return false;
  // A static block is where `await` is no name although no function is async.
  return syntaxProblem(realm, `class A { static { ${source}\n} }`) !== undefined;
}

function compileModule(
  realm: Realm,
  source: string,
  isTypeScript: boolean,
  names: readonly string[],
  isScript = false,
): Compiled | Trouble {
  loadTranspiler(); // outside of the try: failing to load is our trouble, not the answer's
  let output: Transpiled;
  try {
    output = transpile(source, isTypeScript, isScript);
  } catch (error) {
    return { kind: 'syntax', ...readTranspileError(error) };
  }
  const isAsync = /\bawait\b/.test(output.code); // perhaps at the top, where it needs an async wrapper
  const script = wrapProgram(output.code, names, isAsync);
  const problem = syntaxProblem(realm, script);
  if (problem) return { kind: 'syntax', message: problem.message };
  return {
    script,
    place: (stack) => {
      const place = placeInAnswer(stack, isAsync);
      return place && output.original(place);
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
