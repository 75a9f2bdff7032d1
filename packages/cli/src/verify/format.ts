/** Recognizes files that are not rows (CSV, a JSON array, a damaged parquet file), so that each gives one clear error. */
import { open, stat } from 'node:fs/promises';
import { extname } from 'node:path';

const HEAD_BYTES = 512;
const PARQUET_MAGIC = 'PAR1';
const TABLES: Readonly<Record<string, string>> = { '.csv': 'CSV', '.tsv': 'TSV' };

/** @throws {Error} if the name or the first bytes show that the file is neither JSON Lines nor parquet */
export async function requireRowFormat(path: string): Promise<void> {
  if (!(await stat(path)).isFile()) return; // a pipe can be read only once; a folder is reported elsewhere
  const head = await readHead(path);
  const problem = formatProblem(path, head);
  if (problem !== undefined) throw new Error(problem);
}

function formatProblem(path: string, head: Buffer): string | undefined {
  const extension = extname(path).toLowerCase();
  const table = TABLES[extension];
  if (table !== undefined) {
    return `Expected JSON Lines or parquet, got ${table}. Convert it to one JSON object per line first.`;
  }
  const isParquet = head.subarray(0, PARQUET_MAGIC.length).toString('latin1') === PARQUET_MAGIC;
  if (extension === '.parquet' && !isParquet && !isCompressed(head)) {
    return 'Expected a parquet file, got a file that does not begin with PAR1.';
  }
  if (/^\ufeff?\s*\[/.test(head.toString('utf8'))) {
    return `Expected one JSON object per line, got a JSON array. Convert it: jq -c '.[]' ${path} > rows.jsonl`;
  }
  return undefined;
}

/** gzip or zstd. */
function isCompressed(head: Buffer): boolean {
  const gzip = head[0] === 0x1f && head[1] === 0x8b;
  return gzip || head.subarray(0, 4).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
}

async function readHead(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
