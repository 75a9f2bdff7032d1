/**
 * The schema of a run as data: the node at a key path, what is allowed there, and all keys.
 * Leaves out: checking values (zod does) and reading files.
 */
import { trainConfig } from '@cipo/trainer/config';
import { z } from 'zod';

/** The part of JSON Schema that the schemas of the commands use. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly prefixItems?: readonly SchemaNode[];
}

export type KeyPath = readonly (string | number)[];

const node = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  get properties() {
    return z.record(z.string(), node).optional();
  },
  get prefixItems() {
    return z.array(node).optional();
  },
});

/** A zod schema, accessible by key path. */
export interface SchemaView {
  readonly root: SchemaNode;
  /** The node at a key path, or undefined if there is none. */
  at(path: KeyPath): SchemaNode | undefined;
  /** Every key that takes a value, in the order of the schema: `rollout.prompts`, ... */
  readonly leaves: readonly (readonly [string, SchemaNode])[];
}

/** @param schema an object schema. The view shows what a user may write, before defaults are applied. */
export function viewOf(schema: z.ZodType): SchemaView {
  const root = clean(node.parse(z.toJSONSchema(schema, { io: 'input' })));
  return { root, at: (path) => walk(root, path), leaves: leavesOf(root) };
}

/** The schema of a training run. */
export const trainSchema: SchemaView = viewOf(trainConfig);

/** Removes the bounds that JSON Schema writes for "any safe integer". */
function clean(raw: z.output<typeof node>): SchemaNode {
  const { properties, prefixItems, minimum, maximum, ...rest } = raw;
  const entries = Object.entries(properties ?? {}).map(([key, value]) => [key, clean(value)]);
  const kept = Object.fromEntries(
    Object.entries({ minimum, maximum }).filter(
      ([, bound]) => bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER,
    ),
  );
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
    ...kept,
    ...(properties && { properties: Object.fromEntries(entries) }),
    ...(prefixItems && { prefixItems: prefixItems.map(clean) }),
  };
}

function walk(root: SchemaNode, path: KeyPath): SchemaNode | undefined {
  let at: SchemaNode | undefined = root;
  for (const key of path) {
    if (typeof key === 'number') at = at?.prefixItems?.[key];
    else at = at?.properties && Object.hasOwn(at.properties, key) ? at.properties[key] : undefined;
  }
  return at;
}

function leavesOf(from: SchemaNode, prefix = ''): [string, SchemaNode][] {
  return Object.entries(from.properties ?? {}).flatMap(([key, child]): [string, SchemaNode][] =>
    child.properties ? leavesOf(child, `${prefix}${key}.`) : [[`${prefix}${key}`, child]],
  );
}

/** The allowed values in words: `a whole number of at least 1`, `one of cipo, grpo`. */
export function describeAllowed(at: SchemaNode): string {
  if (at.enum) return `one of ${at.enum.map(String).join(', ')}`;
  if (at.properties) return `a group with the keys ${Object.keys(at.properties).join(', ')}`;
  if (at.prefixItems) return describeList(at.prefixItems);
  if (at.type === 'integer') return `a whole number${describeBounds(at)}`;
  if (at.type === 'number') return `a number${describeBounds(at)}`;
  if (at.type === 'boolean') return 'true or false';
  if (at.type === 'array') return 'a list of texts';
  return 'text';
}

function describeList(items: readonly SchemaNode[]): string {
  const kinds = new Set(items.map(describeAllowed));
  const kind = [...kinds].map((words) => words.replace(/^an? /, '')).join(' / ');
  const plural = kind.replace(/^(whole )?number/, '$1numbers');
  return `a list of ${items.length} ${plural}`;
}

function describeBounds(at: SchemaNode): string {
  if (at.minimum !== undefined && at.maximum !== undefined) {
    return ` from ${at.minimum} to ${at.maximum}`;
  }
  const parts = [
    at.minimum !== undefined && `of at least ${at.minimum}`,
    at.exclusiveMinimum !== undefined && `above ${at.exclusiveMinimum}`,
    at.maximum !== undefined && `of at most ${at.maximum}`,
    at.exclusiveMaximum !== undefined && `below ${at.exclusiveMaximum}`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}
