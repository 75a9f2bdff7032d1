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
  if (problem === undefined) {
    return { script: wrapProgram(source, names), place: (stack) => placeInAnswer(stack) };
  }
  if (!wantsModule(problem.message)) return { kind: 'syntax', ...problem };
  return compileModule(realm, source, false, names);
}

function compileModule(
  realm: Realm,
  source: string,
  isTypeScript: boolean,
  names: readonly string[],
): Compiled | Trouble {
  loadTranspiler(); // outside of the try: failing to load is our trouble, not the answer's
  let output: Transpiled;
  try {
    output = transpile(source, isTypeScript);
  } catch (error) {
    return { kind: 'syntax', ...readTranspileError(error) };
  }
  const isAsync = syntaxProblem(realm, output.code) !== undefined; // top-level await
  const script = wrapProgram(output.code, names, isAsync);
  const problem = isAsync ? syntaxProblem(realm, script) : undefined;
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
