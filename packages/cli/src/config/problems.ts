/**
 * Findings of the schema, said to a person: where it was written, which key, what was received, what is allowed.
 */
import { preview } from '@cipo/verifier/types';
import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { type Layer, originOf } from './layers.ts';
import { allowed, type KeyPath, leafPaths, schemaAt } from './schema.ts';

type Issue = z.core.$ZodIssue;

/** One message per finding, without colour. `layers` lowest first. */
export function problems(issues: readonly Issue[], layers: readonly Layer[]): string[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey([...path, key], layers))
      : [wrongValue(issue, path, layers)];
  });
}

function unknownKey(path: KeyPath, layers: readonly Layer[]): string {
  const parent = path.slice(0, -1);
  const siblings = Object.keys(schemaAt(parent)?.properties ?? {});
  const guess = closest(
    spell(path),
    siblings.map((key) => spell([...parent, key])),
  );
  const hint = guess === undefined ? '' : ` Did you mean ${guess}?`;
  const where = parent.length === 0 ? 'Keys' : `Keys of ${spell(parent)}`;
  return `${originOf(layers, path)}: there is no key ${spell(path)}.${hint}\n  ${where}: ${siblings.join(', ')}.`;
}

function wrongValue(issue: Issue, path: KeyPath, layers: readonly Layer[]): string {
  const node = schemaAt(path);
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

/** The candidate that a typo could have meant; else, the same last key in another group. */
function closest(written: string, candidates: readonly string[]): string | undefined {
  const last = written.split('.').at(-1);
  const elsewhere = leafPaths()
    .map(([path]) => path)
    .filter((path) => path.split('.').at(-1) === last);
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      far: distance(written.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.far - b.far);
  const [best] = ranked;
  const limit = Math.max(1, Math.ceil((last?.length ?? 0) * 0.4));
  return best && best.far <= limit ? best.candidate : elsewhere[0];
}
