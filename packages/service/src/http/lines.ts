/**
 * NDJSON bodies: bytes to lines in constant memory, each read as JSON by itself, so that one unreadable line
 * does not take the others along. Leaves out: what a line means.
 */
import type { IncomingMessage } from 'node:http';
import { type BodyLimits, chunks, Patience, type Share, tooLarge } from './body.ts';
import { type JsonLimits, readJson } from './json.ts';
import { Problem } from './problem.ts';
import type { Line } from './route.ts';

const NEWLINE = 0x0a;

/**
 * The lines of a body; blank ones are left out, but still counted. Each has `bodyMs` to come in.
 * @throws {Problem} 408, 413 for a line that is too long, 499
 */
export async function* readLines(
  request: IncomingMessage,
  limits: BodyLimits & JsonLimits,
  share: Share,
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
    return { number, problem: error, beginning: Buffer.from(bytes.subarray(0, 100)).toString() };
  }
}

async function* splitLines(
  request: IncomingMessage,
  limits: BodyLimits,
  share: Share,
): AsyncGenerator<Buffer, void> {
  const patience = new Patience(limits.bodyMs);
  let rest: Buffer[] = [];
  let length = 0;
  const take = (part: Buffer) => {
    length += part.length;
    if (length > limits.bodyBytes) throw tooLarge(limits);
    share.take(part.length);
    rest.push(part);
  };
  const line = (): Buffer => {
    const whole = Buffer.concat(rest, length);
    share.free(length);
    [rest, length] = [[], 0];
    patience.renew();
    return whole;
  };
  for await (const chunk of chunks(request, patience)) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      yield line();
    }
    take(chunk.subarray(from));
  }
  if (length > 0) yield line();
}

const isBlank = (bytes: Uint8Array): boolean =>
  bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
