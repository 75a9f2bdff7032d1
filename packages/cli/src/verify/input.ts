/**
 * Reads the rows of all inputs of `cipo verify` as one stream: files one after another, columns renamed, the first rows
 * skipped. Leaves out: file formats (`@cipo/verifier/files`) and the meaning of rows.
 */
import { stat } from 'node:fs/promises';
import { isRecord } from '@cipo/support';
import { openRows, type RowFile, type RowRead, streamedRows } from '@cipo/verifier/files';
import { EXIT, explainError, UserError } from '../errors.ts';
import { requireRowFormat } from './format.ts';

/** A row with the file that it came from. */
export interface PlacedRow extends RowRead {
  readonly file: string;
}

/** A field name, and the column to read it from; `a.b` is a nested column. */
export type ColumnName = readonly [field: string, column: string];

export interface Input {
  rows(): AsyncGenerator<PlacedRow>;
  /** The share that has been read, from 0 to 1; undefined if the end is not known. */
  share(): number | undefined;
  /** The renamed columns that no row read so far has. Empty before the first row. */
  missingColumns(): readonly ColumnName[];
  /** Releases standard input, so that a stop does not wait for its next row. */
  close(): void;
}

export interface InputOptions {
  /** Rows to skip at the start. */
  readonly skip: number;
  /** Rows to read after those. */
  readonly take: number;
  readonly columns: readonly ColumnName[];
}

/** @param names files, or `-` for standard input. @throws {UserError} if one cannot be opened, before any is read */
export async function openInput(names: readonly string[], options: InputOptions): Promise<Input> {
  const parts = await Promise.all(names.map(openPart));
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const isKnown = parts.every(({ isKnown }) => isKnown);
  const done = () => parts.reduce((sum, { file, bytes }) => sum + bytes * (file.share() ?? 0), 0);
  const renamer = new ColumnRenamer(options.columns);
  return {
    rows: () => readRows(parts, options, renamer),
    share: () => (isKnown && total > 0 ? done() / total : undefined),
    missingColumns: () => renamer.missing(),
    close: () => {
      if (names.includes('-')) process.stdin.destroy();
    },
  };
}

interface Part {
  readonly file: RowFile;
  readonly bytes: number;
  readonly isKnown: boolean;
}

async function openPart(name: string): Promise<Part> {
  if (name === '-') {
    return { file: streamedRows(process.stdin, 'standard input'), bytes: 0, isKnown: false };
  }
  try {
    await requireRowFormat(name);
    const file = await openRows(name);
    const { size } = await stat(name);
    return { file, bytes: size, isKnown: size > 0 };
  } catch (error) {
    throw new UserError(`Cannot read ${name}. ${explainError(error).message}`, EXIT.usage, {
      cause: error,
    });
  }
}

async function* readRows(
  parts: readonly Part[],
  { skip, take }: InputOptions,
  renamer: ColumnRenamer,
): AsyncGenerator<PlacedRow> {
  let count = 0;
  if (take === 0) return;
  for (const { file } of parts) {
    for await (const read of file.rows()) {
      count += 1;
      if (count > skip) yield { ...renamer.rename(read), file: file.name };
      if (count >= skip + take) return;
    }
  }
}

/** Adds renamed columns to rows, and remembers which of them any row has had. */
class ColumnRenamer {
  readonly #columns: readonly ColumnName[];
  readonly #found = new Set<ColumnName>();
  #rows = 0;

  constructor(columns: readonly ColumnName[]) {
    this.#columns = columns;
  }

  rename(read: RowRead): RowRead {
    const { row } = read;
    if (this.#columns.length === 0 || !isRecord(row)) return read;
    this.#rows += 1;
    const fields = this.#columns.flatMap((name): [string, unknown][] => {
      const value = valueAt(row, name[1]);
      if (value === undefined) return [];
      this.#found.add(name);
      return [[name[0], value]];
    });
    return { ...read, row: { ...row, ...Object.fromEntries(fields) } };
  }

  missing(): ColumnName[] {
    return this.#rows === 0 ? [] : this.#columns.filter((name) => !this.#found.has(name));
  }
}

/** The column with exactly this name, otherwise the nested one. */
function valueAt(row: object, path: string): unknown {
  if (Object.hasOwn(row, path)) return Object.getOwnPropertyDescriptor(row, path)?.value;
  let at: unknown = row;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Object.getOwnPropertyDescriptor(at, key)?.value;
  }
  return at;
}
