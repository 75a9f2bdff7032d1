/** What reading a file of rows gives: a row, or what is wrong in its place. Types only. */
import type { TaskError } from '../types.ts';

/** One row of a file, or the problem that stands where a row should. */
export interface RowRead {
  /** Line of a JSON Lines file, or number of the row in a parquet file; from 1. */
  readonly line: number;
  /** Bytes of the line; absent where a row has no line of its own. */
  readonly bytes?: number;
  readonly row?: unknown;
  /** Set where the line cannot be read; `row` is absent then. */
  readonly problem?: TaskError;
}

/** A file of rows, read once from start to end. */
export interface RowFile {
  /** For messages: the path, or `standard input`. */
  readonly name: string;
  /** Never throws on what the file holds: what cannot be read is a {@link RowRead} with a problem. */
  rows(): AsyncGenerator<RowRead>;
  /** How much of it has been read, from 0 to 1; undefined where the end is not known. */
  share(): number | undefined;
}
