/** Parses JSON inside a text field of a request, with the limits of the request body. */
import { readJson } from '../http/json.ts';
import { SERVE_DEFAULTS } from '../http/options.ts';
import { badRequest, Problem } from '../http/problem.ts';

const LIMITS = { depth: SERVE_DEFAULTS.jsonDepth, values: SERVE_DEFAULTS.jsonValues };

/**
 * Parses a text as JSON.
 *
 * @returns undefined if the text is not JSON
 * @throws {Problem} 400 if the text is JSON that exceeds a limit or has a prototype key
 */
export function parseJsonField(text: string, field: string): unknown {
  try {
    return readJson(Buffer.from(text), LIMITS);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === 'bad-json' || error.code === 'empty-body') return undefined;
    throw badRequest(field, error.message, text);
  }
}
