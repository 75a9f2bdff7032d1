/**
 * Reads a YAML (or JSON) file as a layer of settings that knows its lines.
 * Leaves out: checking keys and values (resolve.ts).
 */
import { readFile } from 'node:fs/promises';
import { errorMessage, isRecord } from '@cipo/support';
import { type Document, isMap, LineCounter, type Node, parseDocument } from 'yaml';
import { EXIT, systemCode, UserError } from '../errors.ts';
import type { Layer, Settings } from './layers.ts';
import type { KeyPath, SchemaView } from './schema.ts';

/** @throws {UserError} exit code 2: the file is missing, is not YAML, or does not consist of keys and values */
export async function readLayer(file: string, schema: SchemaView): Promise<Layer> {
  return parseLayer(await readText(file), file, schema);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    const messages: Readonly<Record<string, string>> = {
      ENOENT: `There is no configuration file ${file} in ${process.cwd()}.`,
      EISDIR: `Expected a configuration file, got the folder ${file}. To continue a run: cipo train --resume ${file}`,
    };
    const other = `Cannot read the configuration file ${file}: ${errorMessage(error)}.`;
    throw new UserError(messages[code ?? ''] ?? other, EXIT.usage, { cause: error });
  }
}

/** @throws {UserError} exit code 2, with the line */
function parseLayer(text: string, file: string, schema: SchemaView): Layer {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const [error] = document.errors;
  if (error) throw new UserError(`${file} is not valid YAML. ${error.message}`, EXIT.usage);
  const value: unknown = toPlain(document, file) ?? {};
  if (!isRecord(value)) {
    throw new UserError(
      `${file}: expected \`key: value\` lines, got ${describeValue(value)}.`,
      EXIT.usage,
    );
  }
  return {
    value: dropEmptyGroups(value, schema),
    locate: (path) => locateKey(document, lines, path, file),
  };
}

function toPlain(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // The library refuses alias bombs: it counts what aliases would expand to.
    throw new UserError(`${file} cannot be used as YAML: ${errorMessage(error)}.`, EXIT.usage, {
      cause: error,
    });
  }
}

function describeValue(value: unknown): string {
  return Array.isArray(value) ? 'a list' : `the single value ${JSON.stringify(value)}`;
}

/** Removes groups whose every line is commented out: `rollout:` alone is an empty group, not null. */
function dropEmptyGroups(value: Settings, schema: SchemaView, path: KeyPath = []): Settings {
  const entries = Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
    const childPath = [...path, key];
    if (child === null && schema.at(childPath)?.properties) return [];
    return [[key, isRecord(child) ? dropEmptyGroups(child, schema, childPath) : child]];
  });
  return Object.fromEntries(entries);
}

/** `file:line:column` of the key at a path. */
function locateKey(document: Document, lines: LineCounter, path: KeyPath, file: string): string {
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
