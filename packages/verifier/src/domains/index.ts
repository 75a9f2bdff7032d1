/**
 * @packageDocumentation
 * The domains of a program by name: math and code, each opened on first use, and those of plug-ins.
 * Leaves out: loading and checking plug-ins (plugin.ts).
 */
import { distance } from 'fastest-levenshtein';
import { codeDomain } from '../code/index.ts';
import { problemOfLimits } from '../code/limits.ts';
import { mathDomain } from '../math/index.ts';
import { type Domain, TaskError } from '../types.ts';
import { type DomainOptions, loadPlugin, PluginError } from './plugin.ts';

export { type DomainOptions, isPath, PluginError } from './plugin.ts';
export { createDomainFiles } from './template.ts';

/** Options of {@link openDomains}. Those of {@link DomainOptions} apply to every domain. */
export interface OpenOptions extends DomainOptions {
  /** Modules that export domains: file paths or package names. */
  readonly plugins?: readonly string[];
  /** Folder from which plug-ins are resolved. Default: the current one. */
  readonly from?: string;
}

/** Open domains by name. */
export interface DomainSet {
  /** Every name that {@link get} knows: math, code, then plug-ins in their order. */
  readonly names: readonly string[];
  /** Names of the plug-in domains. */
  readonly plugged: readonly string[];
  /** The domain of this name. @throws {TaskError} on the field `domain`, with the known names and the closest one */
  get(name: string): Domain;
  /** Closes every domain that was opened. Safe to call twice. */
  close(): Promise<void>;
}

/** Most math comparisons run in this process; a cell is only for slow ones. */
const MATH_WORKERS = 1;

/**
 * Loads plug-ins and prepares the built-in domains.
 *
 * ```ts
 * const domains = await openDomains({ plugins: ['./countdown.ts'] });
 * domains.get('countdown');
 * ```
 * @throws {RangeError} naming a limit that does not exist
 * @throws {PluginError} naming the plug-in and the field that is wrong
 */
export async function openDomains(options: OpenOptions = {}): Promise<DomainSet> {
  const { plugins = [], from, ...shared } = options;
  const unknownLimit = problemOfLimits(shared.limits ?? {});
  if (unknownLimit !== undefined) throw new RangeError(unknownLimit);
  const openers = builtInDomains(shared);
  const opened = new Map<string, Domain>();
  const plugged: string[] = [];
  for (const plugin of new Set(plugins)) {
    for (const domain of await loadPlugin(plugin, shared, from)) {
      refuseTaken(plugin, domain.name, [...openers.keys(), ...plugged]);
      opened.set(domain.name, domain);
      plugged.push(domain.name);
    }
  }
  return createSet(openers, opened, plugged);
}

/**
 * The domain of rows that name none: the configured one, else the only plug-in domain.
 * @returns undefined if there is neither: then the columns of a row decide
 */
export function fallbackDomain(
  domains: Pick<DomainSet, 'plugged'>,
  configured: string | undefined,
): string | undefined {
  return configured ?? (domains.plugged.length === 1 ? domains.plugged[0] : undefined);
}

/** Makes a set of existing domains. `plugged` has all their names. */
export function domainsOf(domains: readonly Domain[]): DomainSet {
  const opened = new Map(domains.map((domain) => [domain.name, domain]));
  return createSet(new Map(), opened, [...opened.keys()]);
}

function builtInDomains(options: DomainOptions): ReadonlyMap<string, () => Domain> {
  const { workers, limits, maxQueue } = options;
  const queue = maxQueue === undefined ? {} : { maxQueue };
  const code = {
    ...queue,
    ...(workers === undefined ? {} : { workers }),
    ...(limits === undefined ? {} : { limits }),
  };
  return new Map<string, () => Domain>([
    ['math', () => mathDomain({ workers: MATH_WORKERS, ...queue })],
    ['code', () => codeDomain(code)],
  ]);
}

function refuseTaken(plugin: string, name: string, taken: readonly string[]): void {
  if (taken.includes(name)) {
    throw new PluginError(
      plugin,
      'name',
      `"${name}" is already used; there are ${taken.join(', ')}`,
    );
  }
}

function createSet(
  openers: ReadonlyMap<string, () => Domain>,
  opened: Map<string, Domain>,
  plugged: readonly string[],
): DomainSet {
  const names = [...openers.keys(), ...plugged];
  return {
    names,
    plugged,
    get(name) {
      const domain = opened.get(name) ?? openers.get(name)?.();
      if (!domain) throw unknownDomain(name, names);
      opened.set(name, domain);
      return domain;
    },
    async close() {
      await Promise.all([...opened.values()].map((domain) => domain.close?.()));
    },
  };
}

function unknownDomain(name: string, names: readonly string[]): TaskError {
  const [best] = names
    .map((known) => ({ known, far: distance(known, name.toLowerCase().slice(0, 64)) }))
    .sort((a, b) => a.far - b.far);
  const near = best && best.far <= Math.max(1, Math.ceil(best.known.length * 0.4));
  const hint = near ? `; did you mean "${best.known}"?` : '';
  return new TaskError('domain', `expected one of ${names.join(', ')}${hint}`, name);
}
