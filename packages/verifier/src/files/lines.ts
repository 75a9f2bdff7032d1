/**
 * Splits bytes into lines and parses them as rows, in the memory of one line. Accepts both line endings and a byte order mark.
 * A line that is too long, not UTF-8 or not JSON becomes a problem, and reading continues.
 */
import { errorMessage, MIB } from '@cipo/support';
import { oneLine } from '../correction.ts';
import { parseJson } from '../rows/fields.ts';
import { TaskError } from '../types.ts';
import type { RowRead } from './types.ts';

/** Longest line that is held in memory, in bytes. */
export const MAX_LINE_BYTES = 64 * MIB;

const NEWLINE = 10;

type Decoder = InstanceType<typeof TextDecoder>;

interface Line {
  readonly line: number;
  /** Absent if the line is too long: then only its length was counted. */
  readonly bytes?: Buffer;
  readonly length: number;
}

/** Reads JSON Lines. Blank lines are skipped. */
export async function* rowsOfLines(
  chunks: AsyncIterable<Buffer>,
  maxLineBytes = MAX_LINE_BYTES,
): AsyncGenerator<RowRead> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const line of splitLines(chunks, maxLineBytes)) {
    const read = rowOf(line, decoder, maxLineBytes);
    if (read) yield read;
  }
}

async function* splitLines(chunks: AsyncIterable<Buffer>, max: number): AsyncGenerator<Line> {
  let held: Buffer[] = [];
  let length = 0;
  let line = 1;
  const take = (part: Buffer): void => {
    length += part.length;
    if (length > max) held = [];
    else if (part.length > 0) held.push(part);
  };
  const finish = (): Line => {
    const bytes = length > max ? {} : { bytes: held.length === 1 ? held[0]! : Buffer.concat(held) };
    const done = { line, length, ...bytes };
    held = [];
    length = 0;
    line += 1;
    return done;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, at));
      yield finish();
      from = at + 1;
    }
    take(chunk.subarray(from));
  }
  if (length > 0) yield finish();
}

function rowOf({ line, bytes, length }: Line, decoder: Decoder, max: number): RowRead | undefined {
  if (!bytes) {
    const problem = `expected at most ${max} bytes`;
    return { line, problem: new TaskError('row', problem, `${length} bytes`) };
  }
  let text: string;
  try {
    text = decoder.decode(bytes); // removes a byte order mark
  } catch {
    return { line, problem: new TaskError('row', 'expected UTF-8', bytes.toString('latin1')) };
  }
  if (text.trim() === '') return undefined;
  try {
    return { line, bytes: length, row: parseJson(text) };
  } catch (error) {
    return { line, problem: new TaskError('row', `expected JSON: ${reasonOf(error)}`, text) };
  }
}

/** The reason that V8 gives, without the text that it quotes: the problem shows that too. */
function reasonOf(error: unknown): string {
  return oneLine(errorMessage(error))
    .replace(/, (?:\.\.\.)?"[\s\S]*$/, '')
    .replace(/ \(line 1 column \d+\)$/, '');
}
