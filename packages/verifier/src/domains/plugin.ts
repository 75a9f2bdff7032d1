/**
 * Finds and checks a plug-in: a module, by file path or package name, that exports domains. Everything
 * that can be wrong with one is said by the name of the field. Leaves out: keeping them (index.ts).
 */
import { existsSync, realpathSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { RunLimits } from '../code/job.ts';
import { type Domain, preview } from '../types.ts';

/** What a plug-in's factory is called with: what the user asked of every domain. */
export interface DomainOptions {
  /** Processes or threads to judge with; absent: as many as there are cores. */
  readonly workers?: number;
  /** Limits of attempts that name none. */
  readonly limits?: Partial<RunLimits>;
  /** Attempts that may wait; beyond it a verdict is void, `overloaded`. */
  readonly maxQueue?: number;
}

/** A module that is no plug-in. `field` is the export or the field of a domain that is wrong. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
  readonly plugin: string;
  readonly field: string;
  constructor(plugin: string, field: string, problem: string, options?: ErrorOptions) {
    super(`plug-in ${plugin}: ${field}: ${problem}`, options);
    this.plugin = plugin;
    this.field = field;
  }
}

/** Is this the name of a file, rather than of a package or a domain? */
export function isPath(name: string): boolean {
  return /^\.{0,2}\/|^\.\.?$|^file:|^[A-Za-z]:[\\/]|\\|\.[cm]?[jt]s$/.test(name);
}

/**
 * The domains of a module. Its default export counts first: a domain, several in a list, or a function
 * `(options) => Domain`; then every named export that is a domain. Without either, named functions whose
 * name ends with `Domain` are called like a default one.
 * @param from folder that paths and packages are looked up from
 * @throws {PluginError} naming the field
 */
export async function loadPlugin(
  name: string,
  options: DomainOptions = {},
  from: string = process.cwd(),
): Promise<readonly Domain[]> {
  const module = await importFrom(name, from);
  const found = await Promise.all(
    candidates(module).map(async ([field, value]) => {
      const made = typeof value === 'function' ? await called(value, options, name, field) : value;
      const list: readonly unknown[] = Array.isArray(made) ? made : [made];
      return list.map((one, i) => checked(one, name, list.length > 1 ? `${field}[${i}]` : field));
    }),
  );
  const domains = [...new Set(found.flat())];
  if (domains.length > 0) return domains;
  const names = Object.keys(module).join(', ') || 'nothing';
  throw new PluginError(name, 'exports', `hold no domain; the module exports ${names}`);
}

type Module = Readonly<Record<string, unknown>>;

async function importFrom(name: string, from: string): Promise<Module> {
  try {
    return isPath(name) ? await importFile(name, from) : await importPackage(name, from);
  } catch (error) {
    if (error instanceof PluginError) throw error;
    throw new PluginError(name, 'module', why(error), { cause: error });
  }
}

async function importFile(name: string, from: string): Promise<Module> {
  const path = name.startsWith('file:') ? fileURLToPath(name) : name;
  const file = isAbsolute(path) ? path : resolve(from, path);
  if (!existsSync(file)) throw new PluginError(name, 'module', `there is no file ${file}`);
  return await import(pathToFileURL(realpathSync(file)).href);
}

/** A bare name is looked up from the user's folder, then from ours. */
async function importPackage(name: string, from: string): Promise<Module> {
  const parentURL = pathToFileURL(join(from, 'plug-in.js')).href;
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier !== name) return next(specifier, context);
      const ours = context.parentURL; // said again below: Node keeps what the first call has set
      try {
        return next(specifier, { ...context, parentURL });
      } catch {
        return next(specifier, { ...context, parentURL: ours });
      }
    },
  });
  try {
    return await import(name);
  } finally {
    hooks.deregister();
  }
}

function why(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_MODULE_NOT_FOUND') {
    const text = error instanceof Error ? error.message : '';
    return `is not found (${text.split('\n')[0]}); a file needs its path, ./name.ts, and built in are math and code`;
  }
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return 'is TypeScript inside node_modules, which Node does not run; a package must ship JavaScript';
  }
  return `could not be loaded: ${error instanceof Error ? error.message : preview(error)}`;
}

function candidates(module: Module): [string, unknown][] {
  const named = Object.entries(module).filter(
    ([key]) => key !== 'default' && key !== 'module.exports',
  );
  const objects = named.filter(([, value]) => looksLikeDomain(value));
  const chosen = module.default === undefined ? objects : [defaultOf(module), ...objects];
  if (chosen.length > 0) return chosen;
  return named.filter(([key, value]) => typeof value === 'function' && /domain$/i.test(key));
}

const defaultOf = (module: Module): [string, unknown] => ['default', module.default];

function looksLikeDomain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('verify' in value || 'parse' in value);
}

type Callable = (options: DomainOptions) => unknown;

async function called(
  factory: unknown,
  options: DomainOptions,
  plugin: string,
  field: string,
): Promise<unknown> {
  try {
    return await (factory as Callable)(options);
  } catch (error) {
    const message = error instanceof Error ? error.message : preview(error);
    throw new PluginError(plugin, field, `the function failed: ${message}`, { cause: error });
  }
}

const OPTIONAL = ['correction', 'known', 'close'] as const;
const NAME = /^[a-z][a-z0-9_-]{0,63}$/;

/** A value as a domain. @throws {PluginError} naming the first field that is wrong */
function checked(value: unknown, plugin: string, at: string): Domain {
  if (typeof value !== 'object' || value === null) {
    throw new PluginError(plugin, at, `must be a domain object, received ${preview(value)}`);
  }
  const fields = value as Module;
  const wrong = (field: string, problem: string) =>
    new PluginError(plugin, `${at}.${field}`, `${problem}, received ${seen(fields[field])}`);
  if (typeof fields.name !== 'string' || !NAME.test(fields.name)) {
    throw wrong('name', 'must be a name of a-z, 0-9, - and _ that starts with a letter');
  }
  for (const field of ['parse', 'verify']) {
    if (typeof fields[field] !== 'function') throw wrong(field, 'must be a function');
  }
  for (const field of OPTIONAL) {
    const absent = fields[field] === undefined || typeof fields[field] === 'function';
    if (!absent) throw wrong(field, 'must be a function or absent');
  }
  return value as Domain;
}

const seen = (value: unknown) => (typeof value === 'function' ? 'a function' : preview(value));
