/** The results of reading a file of rows. Types only. */
import type { TaskError } from '../types.ts';

/** One row of a file, or the problem in its place. */
export interface RowRead {
  /** Line in a JSON Lines file, or number of the row in a parquet file. Counts from 1. */
  readonly line: number;
  /** Bytes of the line. Absent for parquet. */
  readonly bytes?: number;
  readonly row?: unknown;
  /** Present if the line cannot be read; `row` is then absent. */
  readonly problem?: TaskError;
}

/** A file of rows. It can be read once, from start to end. */
export interface RowFile {
  /** For messages: the path, or `standard input`. */
  readonly name: string;
  /** Yields the rows. Content that cannot be read is a {@link RowRead} with a problem, never an exception. */
  rows(): AsyncGenerator<RowRead>;
  /** The share that has been read, from 0 to 1. Undefined if the size is unknown. */
  share(): number | undefined;
}
