/** Turns schema issues into messages: where the value was set, which key, what was expected, what was received. */
import { preview } from '@cipo/verifier/types';
import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { type Layer, originOf } from './layers.ts';
import { describeAllowed, type KeyPath, type SchemaView } from './schema.ts';

type Issue = z.core.$ZodIssue;

/** One message per issue, without color. @param layers lowest first */
export function describeIssues(
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
  const candidates = siblings.map((key) => formatPath([...parent, key]));
  const guess = findClosest(formatPath(path), candidates) ?? findInOtherGroup(path, schema);
  const group = parent.length === 0 ? 'Keys' : `Keys of ${formatPath(parent)}`;
  return `${originOf(layers, path)}: there is no key ${formatPath(path)}.${hintOf(guess)}\n  ${group}: ${siblings.join(', ')}.`;
}

function wrongValue(
  issue: Issue,
  path: KeyPath,
  layers: readonly Layer[],
  schema: SchemaView,
): string {
  const node = schema.at(path);
  const place = placeOf(originOf(layers, path), formatPath(path));
  const received = describeInput(issue.input);
  if (!node) return `${place}: ${issue.message}, got ${received}.`;
  const choices = node.enum?.map(String) ?? [];
  const hint = hintOf(findClosest(String(issue.input), choices));
  const fallback =
    node.default === undefined || node.properties ? '' : ` (default ${preview(node.default)})`;
  const meaning =
    node.description === undefined ? '' : `\n  ${formatPath(path)}: ${node.description}.`;
  return `${place}: expected ${describeAllowed(node)}, got ${received}${fallback}.${hint}${meaning}`;
}

/** A flag that names the key already, such as `--set rollout.prompts`, is not followed by the key. */
function placeOf(origin: string, key: string): string {
  const isNamed = origin === `--${key}` || origin === `--set ${key}`;
  return isNamed ? origin : `${origin}: ${key}`;
}

function hintOf(guess: string | undefined): string {
  return guess === undefined ? '' : ` Did you mean ${guess}?`;
}

function describeInput(input: unknown): string {
  if (input === undefined || input === null) return 'nothing';
  return typeof input === 'object' && !Array.isArray(input)
    ? `a group ${preview(input)}`
    : preview(input);
}

/** `rollout.prompts`, `optimizer.gains[1]`. */
function formatPath(path: KeyPath): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('');
}

/** The candidate that a typo could have meant: at most 40 % of the last key changed, and never more than half of it. */
function findClosest(text: string, candidates: readonly string[]): string | undefined {
  const { length } = text.split('.').at(-1) ?? '';
  const [best] = candidates
    .map((candidate) => ({
      candidate,
      edits: distance(text.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.edits - b.edits);
  const allowed = Math.max(1, Math.min(Math.ceil(length * 0.4), Math.floor(length / 2)));
  return best && best.edits <= allowed ? best.candidate : undefined;
}

/** The same last key in another group. */
function findInOtherGroup(path: KeyPath, schema: SchemaView): string | undefined {
  const last = String(path.at(-1));
  return schema.leaves.map(([known]) => known).find((known) => known.split('.').at(-1) === last);
}
