/** JSON inside of a text field of a request: under the same limits as the request itself. */
import { readJson } from '../http/json.ts';
import { SERVE_DEFAULTS } from '../http/options.ts';
import { badRequest, Problem } from '../http/problem.ts';

const LIMITS = { depth: SERVE_DEFAULTS.jsonDepth, values: SERVE_DEFAULTS.jsonValues };

/** What the text says; undefined where it is no JSON. @throws {Problem} 400 where it is JSON that is refused */
export function jsonIn(text: string, field: string): unknown {
  try {
    return readJson(Buffer.from(text), LIMITS);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === 'bad-json' || error.code === 'empty-body') return undefined;
    throw badRequest(field, error.message, text);
  }
}
