/**
 * The native route: one row, a list of rows, `{"rows": [...]}` or NDJSON in; verdicts in the same shape and order out.
 * Leaves out: what a row is (`Judge`), and whose turn it is (`gate.ts`).
 */

import { TaskError } from '@cipo/verifier/types';
import { inOrder } from '../flow.ts';
import { badRow } from '../judge.ts';
import { verdictLine } from '../write.ts';
import { badRequest, type Problem } from './problem.ts';
import type { Line, Route, RouteContext } from './route.ts';
import { BATCH_BODY, DIAGNOSTICS_PARAMETER, VERDICT_RESPONSES } from './schemas.ts';

export const verifyRoute: Route = {
  method: 'POST',
  path: '/v1/verify',
  accepts: ['json', 'ndjson'],
  describe: {
    operationId: 'verify',
    summary: 'Judge one row or many',
    description:
      'Verdicts come in the shape and order of the rows. A row that cannot be read gets a bad_task verdict and the rest goes on.',
    parameters: [DIAGNOSTICS_PARAMETER],
    requestBody: BATCH_BODY,
    responses: VERDICT_RESPONSES,
  },
  handle: async (request, context) =>
    request.lines === undefined
      ? { text: await judgeBody(request.body, context) }
      : { type: 'application/x-ndjson', stream: judgeLines(request.lines, context) },
};

/** JSON as `cipo verify` writes it, so that no verdict can fail the others of its batch. */
async function judgeBody(body: unknown, { verify }: RouteContext): Promise<string> {
  const list = async (rows: readonly unknown[]) =>
    `[${(await verify(rows)).map(verdictLine).join(',')}]`;
  if (Array.isArray(body)) return list(body);
  const fields = asObject(body);
  if (!isBatch(fields)) return (await verify([fields])).map(verdictLine).join();
  if (!Array.isArray(fields.rows)) throw badRequest('rows', 'must be a list', fields.rows);
  return `{"rows":${await list(fields.rows)}}`;
}

function asObject(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  throw badRequest('body', 'must be a row, a list of rows or {"rows": [...]}', body);
}

/** A row may have a column of that name: a batch has no other columns of a row. */
const isBatch = (fields: Readonly<Record<string, unknown>>): boolean =>
  Object.hasOwn(fields, 'rows') &&
  !Object.hasOwn(fields, 'response') &&
  !Object.hasOwn(fields, 'domain');

/** Verdicts of a stream that wait for a slow one before them, in characters. */
const MAX_HELD = 4 << 20;

/**
 * Reads no further ahead than can be judged: a long body is held back instead of kept. Where the body fails, what had
 * come before is answered first.
 */
async function* judgeLines(
  lines: AsyncIterable<Line>,
  { verifyNext, window }: RouteContext,
): AsyncGenerator<string> {
  let failure: { readonly error: unknown } | undefined;
  const whole = async function* () {
    try {
      yield* lines;
    } catch (error) {
      failure = { error };
    }
  };
  const judge = async (line: Line) =>
    `${verdictLine('problem' in line ? unreadable(line) : await verifyNext(line.value))}\n`;
  const sizeOf = (text: string) => text.length;
  yield* inOrder(whole(), judge, { inFlight: window, maxHeld: MAX_HELD, sizeOf });
  if (failure) throw failure.error;
}

/** The line is named, for there is no id to name it by. */
function unreadable({ number, problem, beginning }: Extract<Line, { problem: Problem }>) {
  return badRow('', new TaskError(`line ${number}`, problem.message, beginning));
}
