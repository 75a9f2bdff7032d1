/**
 * Findings of the schema, said to a person: where it was written, which key, what was received, what is allowed.
 */
import { preview } from '@cipo/verifier/types';
import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { type Layer, originOf } from './layers.ts';
import { allowed, type KeyPath, type SchemaView } from './schema.ts';

type Issue = z.core.$ZodIssue;

/** One message per finding, without colour. `layers` lowest first. */
export function problems(
  issues: readonly Issue[],
  layers: readonly Layer[],
  schema: SchemaView,
): string[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey([...path, key], layers, schema))
      : [wrongValue(issue, path, layers, schema)];
  });
}

function unknownKey(path: KeyPath, layers: readonly Layer[], schema: SchemaView): string {
  const parent = path.slice(0, -1);
  const siblings = Object.keys(schema.at(parent)?.properties ?? {});
  const named = siblings.map((key) => spell([...parent, key]));
  const guess = closest(spell(path), named) ?? elsewhere(path, schema);
  const hint = guess === undefined ? '' : ` Did you mean ${guess}?`;
  const where = parent.length === 0 ? 'Keys' : `Keys of ${spell(parent)}`;
  return `${originOf(layers, path)}: there is no key ${spell(path)}.${hint}\n  ${where}: ${siblings.join(', ')}.`;
}

function wrongValue(
  issue: Issue,
  path: KeyPath,
  layers: readonly Layer[],
  schema: SchemaView,
): string {
  const node = schema.at(path);
  const where = `${originOf(layers, path)}: ${spell(path)}: received ${received(issue.input)}`;
  if (!node) return `${where}: ${issue.message}.`;
  const choices = node.enum?.map(String) ?? [];
  const guess = closest(String(issue.input), choices);
  const hint = guess === undefined ? '' : ` Did you mean ${guess}?`;
  const standard =
    node.default === undefined || node.properties ? '' : ` (default ${preview(node.default)})`;
  const meaning = node.description === undefined ? '' : `\n  ${spell(path)}: ${node.description}.`;
  return `${where}, allowed is ${allowed(node)}${standard}.${hint}${meaning}`;
}

function received(input: unknown): string {
  if (input === undefined || input === null) return 'nothing';
  return typeof input === 'object' && !Array.isArray(input)
    ? `a group ${preview(input)}`
    : preview(input);
}

/** `rollout.prompts`, `optimizer.gains[1]`. */
export function spell(path: KeyPath): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('');
}

/** The candidate that a typo could have meant. */
function closest(written: string, candidates: readonly string[]): string | undefined {
  const last = written.split('.').at(-1) ?? '';
  const [best] = candidates
    .map((candidate) => ({
      candidate,
      far: distance(written.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.far - b.far);
  return best && best.far <= Math.max(1, Math.ceil(last.length * 0.4)) ? best.candidate : undefined;
}

/** The same last key in another group. */
function elsewhere(path: KeyPath, schema: SchemaView): string | undefined {
  const last = String(path.at(-1));
  return schema.leaves.map(([known]) => known).find((known) => known.split('.').at(-1) === last);
}
