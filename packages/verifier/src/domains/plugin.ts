/**
 * Loads a plug-in and checks it. A plug-in is a module, named by file path or package name, that exports domains.
 * Leaves out: the set of opened domains (index.ts).
 */
import { existsSync, realpathSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { errorMessage, isRecord, type UnknownRecord } from '@cipo/support';
import type { RunLimits } from '../code/job.ts';
import { oneLine } from '../correction.ts';
import { type Domain, preview } from '../types.ts';
import { canHookModules, FALLBACK_UNAVAILABLE, installPackageFallback } from './fallback.ts';

/** Argument of a plug-in's factory function: the options that apply to every domain. */
export interface DomainOptions {
  /** Processes or threads to judge with. Default: one per core. */
  readonly workers?: number;
  /** Limits of attempts whose row sets none. */
  readonly limits?: Partial<RunLimits>;
  /** Attempts that may wait in the queue. Beyond it a verdict is void with the fault `overloaded`. */
  readonly maxQueue?: number;
}

/** A module that cannot be used as a plug-in. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
  /** The path or package name as given. */
  readonly plugin: string;
  /** The export or domain field that is wrong, such as `default.verify`; `module` if the module cannot be loaded. */
  readonly field: string;
  constructor(plugin: string, field: string, problem: string, options?: ErrorOptions) {
    const place = field === 'module' ? '' : `${field}: `;
    super(`plug-in ${plugin}: ${place}${problem}`, options);
    this.plugin = plugin;
    this.field = field;
  }
}

/** Longest foreign error message that a {@link PluginError} quotes, in characters. */
const MAX_QUOTED_CHARS = 500;

/** Whether a plug-in name is a file path. Every other name is a package. */
export function isPath(name: string): boolean {
  return /^\.{0,2}\/|^\.\.?$|^file:|^[A-Za-z]:[\\/]|\\|\.[cm]?[jt]s$/.test(name);
}

/**
 * Loads the domains of a module: its default export (a domain, a list of domains, or a function `(options) => Domain`),
 * then every named export that is a domain. If there is neither, it calls the named functions that end in `Domain`.
 * The module may import the running `@cipo` packages from any folder.
 * @param name file path (`./chess.ts`) or package name
 * @param from folder from which paths and packages are resolved
 * @throws {PluginError} naming the field, or the import that failed
 */
export async function loadPlugin(
  name: string,
  options: DomainOptions = {},
  from: string = process.cwd(),
): Promise<readonly Domain[]> {
  const module = await importFrom(name, from);
  const found = await Promise.all(
    findCandidates(module).map(async ([field, value]) => {
      const made =
        typeof value === 'function' ? await callFactory(value, options, name, field) : value;
      const list: readonly unknown[] = Array.isArray(made) ? made : [made];
      return list.map((one, i) =>
        requireDomain(one, name, list.length > 1 ? `${field}[${i}]` : field),
      );
    }),
  );
  const domains = [...new Set(found.flat())];
  if (domains.length > 0) return domains;
  const names = Object.keys(module).join(', ') || 'nothing';
  throw new PluginError(name, 'exports', `expected a domain, got ${oneLine(names)}`);
}

async function importFrom(name: string, from: string): Promise<UnknownRecord> {
  installPackageFallback();
  try {
    return isPath(name) ? await importFile(name, from) : await importPackage(name, from);
  } catch (error) {
    if (error instanceof PluginError) throw error;
    throw new PluginError(name, 'module', explainFailure(error, name, from), { cause: error });
  }
}

async function importFile(name: string, from: string): Promise<UnknownRecord> {
  const path = name.startsWith('file:') ? fileURLToPath(name) : name;
  const file = isAbsolute(path) ? path : resolve(from, path);
  if (!existsSync(file)) throw new PluginError(name, 'module', `module ${file} not found`);
  return await import(pathToFileURL(realpathSync(file)).href);
}

/** A package is resolved from the user's folder first, then from this package. */
async function importPackage(name: string, from: string): Promise<UnknownRecord> {
  if (!canHookModules()) return await importResolved(name, from);
  const parentURL = pathToFileURL(join(from, 'plug-in.js')).href;
  const hooks = nodeModule.registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier !== name) return next(specifier, context);
      const importer = context.parentURL; // repeated below: Node keeps what the first call set
      try {
        return next(specifier, { ...context, parentURL });
      } catch {
        return next(specifier, { ...context, parentURL: importer });
      }
    },
  });
  try {
    return await import(name);
  } finally {
    hooks.deregister();
  }
}

/** Without module hooks: the entry that `require` would load. */
async function importResolved(name: string, from: string): Promise<UnknownRecord> {
  const file = createRequire(join(from, 'plug-in.js')).resolve(name);
  return await import(pathToFileURL(file).href);
}

function explainFailure(error: unknown, name: string, from: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const message = oneLine(errorMessage(error), MAX_QUOTED_CHARS);
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return explainMissing(message, name, from);
  }
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return 'is TypeScript inside node_modules, which Node does not run; a package must contain JavaScript';
  }
  return `cannot be loaded: ${message}`;
}

/** Node's text is `Cannot find package 'x' imported from y`: the package is the plug-in, or one that it imports. */
function explainMissing(message: string, name: string, from: string): string {
  const missing = /^Cannot find (package|module) '([^']*)'/.exec(message)?.[2];
  if (missing === name || missing === undefined) {
    return `package not found from ${from}; a file needs a path such as ./name.ts, and math and code are built in`;
  }
  const hint = missing.startsWith('@cipo/') && !canHookModules() ? `; ${FALLBACK_UNAVAILABLE}` : '';
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}${hint}`;
}

function findCandidates(module: UnknownRecord): [string, unknown][] {
  const named = Object.entries(module).filter(
    ([key]) => key !== 'default' && key !== 'module.exports',
  );
  const objects = named.filter(([, value]) => looksLikeDomain(value));
  const chosen: [string, unknown][] =
    module.default === undefined ? objects : [['default', module.default], ...objects];
  if (chosen.length > 0) return chosen;
  return named.filter(([key, value]) => typeof value === 'function' && /domain$/i.test(key));
}

function looksLikeDomain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('verify' in value || 'parse' in value);
}

type Factory = (options: DomainOptions) => unknown;

async function callFactory(
  factory: unknown,
  options: DomainOptions,
  plugin: string,
  field: string,
): Promise<unknown> {
  try {
    return await (factory as Factory)(options);
  } catch (error) {
    const message = oneLine(errorMessage(error), MAX_QUOTED_CHARS);
    throw new PluginError(plugin, field, `the function failed: ${message}`, { cause: error });
  }
}

const OPTIONAL_METHODS = ['correction', 'known', 'close'] as const;
const DOMAIN_NAME = /^[a-z][a-z0-9_-]{0,63}$/;

/** Whether a text can be the name of a domain: `[a-z][a-z0-9_-]*`, at most 64 characters. */
export function isDomainName(name: string): boolean {
  return DOMAIN_NAME.test(name);
}

/** Checks that a value is a domain. @throws {PluginError} naming the first field that is wrong */
function requireDomain(value: unknown, plugin: string, at: string): Domain {
  if (!isRecord(value)) {
    throw new PluginError(plugin, at, `expected a domain object, got ${preview(value)}`);
  }
  if (isDomain(value)) return value;
  const { field, expected } = findProblem(value) ?? { field: 'name', expected: 'a domain' };
  const received = describeValue(value[field]);
  throw new PluginError(plugin, `${at}.${field}`, `expected ${expected}, got ${received}`);
}

function isDomain(value: UnknownRecord): value is UnknownRecord & Domain {
  return findProblem(value) === undefined;
}

/** The first field that keeps an object from being a domain. */
function findProblem(
  fields: UnknownRecord,
): { readonly field: string; readonly expected: string } | undefined {
  if (typeof fields.name !== 'string' || !isDomainName(fields.name)) {
    return { field: 'name', expected: 'a name of a-z, 0-9, - and _ that starts with a letter' };
  }
  const missing = ['parse', 'verify'].find((field) => typeof fields[field] !== 'function');
  if (missing !== undefined) return { field: missing, expected: 'a function' };
  const wrong = OPTIONAL_METHODS.find(
    (field) => fields[field] !== undefined && typeof fields[field] !== 'function',
  );
  return wrong === undefined ? undefined : { field: wrong, expected: 'a function or nothing' };
}

function describeValue(value: unknown): string {
  return typeof value === 'function' ? 'a function' : preview(value);
}
