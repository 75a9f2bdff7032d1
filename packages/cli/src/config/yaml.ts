/**
 * A YAML (or JSON) file as a layer of settings that knows its lines.
 * Leaves out: whether keys and values make sense (resolve.ts).
 */
import { readFile } from 'node:fs/promises';
import { type Document, isMap, LineCounter, type Node, parseDocument } from 'yaml';
import { EXIT, systemCode, UserError } from '../errors.ts';
import { isSettings, type Layer, type Settings } from './layers.ts';
import type { KeyPath, SchemaView } from './schema.ts';

/** @throws {UserError} exit code 2: the file is not there, not YAML, or not a list of keys. */
export async function readLayer(file: string, schema: SchemaView): Promise<Layer> {
  return parseLayer(await readText(file), file, schema);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    const what =
      code === 'ENOENT'
        ? `There is no configuration file ${file} (looked from ${process.cwd()}).`
        : code === 'EISDIR'
          ? `${file} is a folder, not a configuration file. To go on with a run: cipo train --resume ${file}`
          : `The configuration file ${file} cannot be read: ${code ?? String(error)}.`;
    throw new UserError(what, EXIT.usage, { cause: error });
  }
}

/** @throws {UserError} exit code 2, naming the line. */
export function parseLayer(text: string, file: string, schema: SchemaView): Layer {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const [error] = document.errors;
  if (error) throw new UserError(`${file} is not valid YAML. ${error.message}`, EXIT.usage);
  const value: unknown = toPlain(document, file) ?? {};
  if (!isSettings(value)) {
    throw new UserError(
      `${file}: a configuration is a list of \`key: value\` lines; found ${describe(value)}.`,
      EXIT.usage,
    );
  }
  return {
    value: dropEmptyGroups(value, schema),
    locate: (path) => place(document, lines, path, file),
  };
}

function toPlain(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // Alias bombs end here: the library counts what aliases would expand to.
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file} is not usable as YAML: ${why}.`, EXIT.usage, { cause: error });
  }
}

function describe(value: unknown): string {
  return Array.isArray(value) ? 'a list' : `the single value ${JSON.stringify(value)}`;
}

/** `rollout:` with every line below it commented out means "nothing to say", not "null". */
function dropEmptyGroups(value: Settings, schema: SchemaView, path: KeyPath = []): Settings {
  const entries = Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
    const here = [...path, key];
    if (child === null && schema.at(here)?.properties) return [];
    return [[key, isSettings(child) ? dropEmptyGroups(child, schema, here) : child]];
  });
  return Object.fromEntries(entries);
}

/** `file:line:column` of the key at a path. */
function place(document: Document, lines: LineCounter, path: KeyPath, file: string): string {
  const offset = keyOffset(document, path);
  if (offset === undefined) return file;
  const { line, col } = lines.linePos(offset);
  return `${file}:${line}:${col}`;
}

function keyOffset(document: Document, path: KeyPath): number | undefined {
  const last = path.at(-1);
  if (last === undefined) return undefined;
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMap<Node, Node>(parent)) {
    const pair = parent.items.find((item) => String(item.key) === String(last));
    return pair?.key.range?.[0];
  }
  const child = document.getIn(path, true);
  return hasRange(child) ? child.range[0] : undefined;
}

function hasRange(value: unknown): value is { range: [number, number, number] } {
  return (
    typeof value === 'object' && value !== null && 'range' in value && Array.isArray(value.range)
  );
}
