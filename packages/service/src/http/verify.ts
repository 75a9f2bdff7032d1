/**
 * The native route `POST /v1/verify`. Request: one row, a list of rows, `{"rows": [...]}` or NDJSON. Reply: verdicts in the
 * same shape and order. Leaves out: reading rows (`judge.ts`) and the queue (`gate.ts`).
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { TaskError } from '@cipo/verifier/types';
import { inOrder } from '../flow.ts';
import { badRow } from '../judge.ts';
import { verdictLine } from '../write.ts';
import { badRequest, type Problem } from './problem.ts';
import type { Line, Route, RouteContext } from './route.ts';
import { BATCH_BODY, DIAGNOSTICS_PARAMETER, VERDICT_RESPONSES } from './schemas.ts';

export const VERIFY_ROUTE: Route = {
  method: 'POST',
  path: '/v1/verify',
  accepts: ['json', 'ndjson'],
  describe: {
    operationId: 'verify',
    summary: 'Judge one row or many rows',
    description:
      'Verdicts have the shape and order of the rows. A row that cannot be read gets the status bad_task and does not affect the others.',
    parameters: [DIAGNOSTICS_PARAMETER],
    requestBody: BATCH_BODY,
    responses: VERDICT_RESPONSES,
  },
  handle: async (request, context) =>
    request.lines === undefined
      ? { text: await judgeBody(request.body, context) }
      : { type: 'application/x-ndjson', stream: judgeLines(request.lines, context) },
};

/** Each verdict is serialized separately, so that one cannot make the others of its batch fail. */
async function judgeBody(body: unknown, { verify }: RouteContext): Promise<string> {
  const judgeList = async (rows: readonly unknown[]) =>
    `[${(await verify(rows)).map(verdictLine).join(',')}]`;
  if (Array.isArray(body)) return judgeList(body);
  if (!isRecord(body)) {
    throw badRequest('body', 'must be a row, a list of rows or {"rows": [...]}', body);
  }
  const fields = body;
  if (!isBatch(fields)) return (await verify([fields])).map(verdictLine).join();
  if (!Array.isArray(fields.rows)) throw badRequest('rows', 'must be a list', fields.rows);
  return `{"rows":${await judgeList(fields.rows)}}`;
}

/** A row may have a column named `rows`, so an object with other columns of a row is one row. */
function isBatch(fields: UnknownRecord): boolean {
  return (
    Object.hasOwn(fields, 'rows') &&
    !Object.hasOwn(fields, 'response') &&
    !Object.hasOwn(fields, 'domain')
  );
}

/** Maximum characters of finished verdicts that wait for a slow row before them. */
const MAX_HELD_CHARS = 4 << 20;

/**
 * Reads no further ahead than rows are judged, so that a long body is not held in memory. If the body fails, the verdicts
 * of the rows before the failure are sent first.
 */
async function* judgeLines(
  lines: AsyncIterable<Line>,
  { verifyNext, window }: RouteContext,
): AsyncGenerator<string> {
  let failure: { readonly error: unknown } | undefined;
  const readUntilFailure = async function* () {
    try {
      yield* lines;
    } catch (error) {
      failure = { error };
    }
  };
  const judge = async (line: Line) =>
    `${verdictLine('problem' in line ? unreadableLine(line) : await verifyNext(line.value))}\n`;
  const sizeOf = (text: string) => text.length;
  yield* inOrder(readUntilFailure(), judge, { inFlight: window, maxHeld: MAX_HELD_CHARS, sizeOf });
  if (failure) throw failure.error;
}

/** The verdict of a line that is not JSON. It has no id, so the diagnostic names the line. */
function unreadableLine({ number, problem, beginning }: Extract<Line, { problem: Problem }>) {
  return badRow('', new TaskError(`line ${number}`, problem.message, beginning));
}
