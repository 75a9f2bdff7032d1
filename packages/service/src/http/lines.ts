/**
 * Reads NDJSON bodies line by line in constant memory. Each line is parsed separately, so that one malformed line does not
 * affect the others. Leaves out: what a line means.
 */
import type { IncomingMessage } from 'node:http';
import { type BodyLimits, type BudgetShare, ReadTimeout, readChunks, tooLarge } from './body.ts';
import { type JsonLimits, readJson } from './json.ts';
import { Problem } from './problem.ts';
import type { Line } from './route.ts';

const NEWLINE = 0x0a;
/** Bytes of a malformed line that its error shows. */
const EXCERPT_BYTES = 100;

/**
 * Yields the lines of a body. Blank lines are skipped, but counted. Each line has `bodyMs` to arrive.
 *
 * @throws {Problem} 408, 413 for a line that is too long, 499
 */
export async function* readLines(
  request: IncomingMessage,
  limits: BodyLimits & JsonLimits,
  share: BudgetShare,
): AsyncGenerator<Line, void> {
  let number = 0;
  for await (const bytes of splitLines(request, limits, share)) {
    number += 1;
    if (!isBlank(bytes)) yield readLine(number, bytes, limits);
  }
}

function readLine(number: number, bytes: Uint8Array, limits: JsonLimits): Line {
  try {
    return { number, value: readJson(bytes, limits) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const beginning = Buffer.from(bytes.subarray(0, EXCERPT_BYTES)).toString();
    return { number, problem: error, beginning };
  }
}

async function* splitLines(
  request: IncomingMessage,
  limits: BodyLimits,
  share: BudgetShare,
): AsyncGenerator<Buffer, void> {
  const timeout = new ReadTimeout(limits.bodyMs);
  let parts: Buffer[] = [];
  let length = 0;
  const append = (part: Buffer) => {
    length += part.length;
    if (length > limits.bodyBytes) throw tooLarge(limits);
    share.take(part.length);
    parts.push(part);
  };
  const takeLine = (): Buffer => {
    const line = Buffer.concat(parts, length);
    share.free(length);
    [parts, length] = [[], 0];
    timeout.reset();
    return line;
  };
  for await (const chunk of readChunks(request, timeout)) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      append(chunk.subarray(from, end));
      from = end + 1;
      yield takeLine();
    }
    append(chunk.subarray(from));
  }
  if (length > 0) yield takeLine();
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
