/**
 * @packageDocumentation
 * The domains of a program: math and code as they come, opened when they are first asked for, and those
 * that plug-ins bring. Leaves out: finding and checking plug-ins (plugin.ts).
 */
import { distance } from 'fastest-levenshtein';
import { codeDomain } from '../code/index.ts';
import { mathDomain } from '../math/index.ts';
import { type Domain, TaskError } from '../types.ts';
import { type DomainOptions, loadPlugin, PluginError } from './plugin.ts';

export { type DomainOptions, isPath, loadPlugin, PluginError } from './plugin.ts';
export { createDomainFiles } from './template.ts';

export interface OpenOptions extends DomainOptions {
  /** Modules that export domains: file paths or package names. */
  readonly plugins?: readonly string[];
  /** Folder that plug-ins are looked up from. Default: the current one. */
  readonly from?: string;
}

export interface DomainSet {
  /** Every name that {@link get} knows: math, code, then plug-ins in their order. */
  readonly names: readonly string[];
  /** Names that plug-ins brought. */
  readonly plugged: readonly string[];
  /** @throws {TaskError} on the field `domain`, with the names there are and the one that was meant */
  get(name: string): Domain;
  /** Ends every pool that was opened. Safe to call twice. */
  close(): Promise<void>;
}

/** Math compares in the caller's process; its cells are for what does not end quickly. */
const MATH_WORKERS = 1;

/**
 * ```ts
 * const domains = await openDomains({ plugins: ['./countdown.ts'] });
 * domains.get('countdown');
 * ```
 * @throws {PluginError} naming the plug-in and the field that is wrong
 */
export async function openDomains(options: OpenOptions = {}): Promise<DomainSet> {
  const { plugins = [], from, ...shared } = options;
  const openers = builtIn(shared);
  const opened = new Map<string, Domain>();
  const plugged: string[] = [];
  for (const plugin of new Set(plugins)) {
    for (const domain of await loadPlugin(plugin, shared, from)) {
      refuseTaken(plugin, domain.name, [...openers.keys(), ...plugged]);
      opened.set(domain.name, domain);
      plugged.push(domain.name);
    }
  }
  return domainSet(openers, opened, plugged);
}

/**
 * The domain of rows that name none: the one that was asked for, else that of the only plug-in domain.
 * Undefined leaves it to what the columns of a row clearly say.
 */
export function fallbackDomain(
  domains: Pick<DomainSet, 'plugged'>,
  asked: string | undefined,
): string | undefined {
  return asked ?? (domains.plugged.length === 1 ? domains.plugged[0] : undefined);
}

/** Domains that are at hand as a set, for programs that make their own. `plugged` has all their names. */
export function domainsOf(domains: readonly Domain[]): DomainSet {
  const opened = new Map(domains.map((domain) => [domain.name, domain]));
  return domainSet(new Map(), opened, [...opened.keys()]);
}

function builtIn(options: DomainOptions): ReadonlyMap<string, () => Domain> {
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
    throw new PluginError(plugin, 'name', `"${name}" is taken; there are ${taken.join(', ')}`);
  }
}

function domainSet(
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
      if (!domain) throw unknown(name, names);
      opened.set(name, domain);
      return domain;
    },
    async close() {
      await Promise.all([...opened.values()].map((domain) => domain.close?.()));
    },
  };
}

function unknown(name: string, names: readonly string[]): TaskError {
  const [best] = names
    .map((known) => ({ known, far: distance(known, name.toLowerCase().slice(0, 64)) }))
    .sort((a, b) => a.far - b.far);
  const near = best && best.far <= Math.max(1, Math.ceil(best.known.length * 0.4));
  const hint = near ? `; did you mean "${best.known}"?` : '';
  return new TaskError('domain', `must be one of ${names.join(', ')}${hint}`, name);
}
