/**
 * The rows of all inputs of `cipo verify` as one stream: files one after another, columns renamed, the
 * first ones skipped. Leaves out: formats (`@cipo/verifier/files`) and what rows mean.
 */
import { stat } from 'node:fs/promises';
import { openRows, type RowFile, type RowRead, streamedRows } from '@cipo/verifier/files';
import { EXIT, explain, UserError } from '../errors.ts';

/** A row with the place it came from. */
export interface PlacedRow extends RowRead {
  readonly file: string;
}

export interface Input {
  rows(): AsyncGenerator<PlacedRow>;
  /** How much has been read, from 0 to 1; undefined where the end is not known. */
  share(): number | undefined;
  /** Lets go of standard input, so that a stop need not wait for its next row. */
  close(): void;
}

export interface InputOptions {
  /** Rows that are passed over at the start. */
  readonly skip: number;
  /** Rows that are read after those. */
  readonly take: number;
  /** Native name and the column that stands for it, `a.b` for a nested one. */
  readonly columns: readonly (readonly [native: string, theirs: string])[];
}

/** @param names files, or `-` for standard input. @throws {UserError} where one cannot be opened, before any is read */
export async function openInput(names: readonly string[], options: InputOptions): Promise<Input> {
  const parts = await Promise.all(names.map(openPart));
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const isKnown = parts.every(({ isKnown }) => isKnown);
  const done = () => parts.reduce((sum, { file, bytes }) => sum + bytes * (file.share() ?? 0), 0);
  return {
    rows: () => placedRows(parts, options),
    share: () => (isKnown && total > 0 ? done() / total : undefined),
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
    const file = await openRows(name);
    const { size } = await stat(name);
    return { file, bytes: size, isKnown: size > 0 };
  } catch (error) {
    throw new UserError(`Cannot read ${name}. ${explain(error).message}`, EXIT.usage, {
      cause: error,
    });
  }
}

async function* placedRows(
  parts: readonly Part[],
  { skip, take, columns }: InputOptions,
): AsyncGenerator<PlacedRow> {
  let seen = 0;
  if (take === 0) return;
  for (const { file } of parts) {
    for await (const read of file.rows()) {
      seen += 1;
      if (seen > skip) yield { ...renamed(read, columns), file: file.name };
      if (seen >= skip + take) return;
    }
  }
}

function renamed(read: RowRead, columns: InputOptions['columns']): RowRead {
  const { row } = read;
  if (columns.length === 0 || typeof row !== 'object' || row === null || Array.isArray(row)) {
    return read;
  }
  const named = columns.map(([native, theirs]) => [native, valueAt(row, theirs)] as const);
  const found = named.filter(([, value]) => value !== undefined);
  return { ...read, row: { ...row, ...Object.fromEntries(found) } };
}

/** The column of that very name, else the nested one. */
function valueAt(row: object, path: string): unknown {
  if (Object.hasOwn(row, path)) return Object.getOwnPropertyDescriptor(row, path)?.value;
  let at: unknown = row;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Object.getOwnPropertyDescriptor(at, key)?.value;
  }
  return at;
}
