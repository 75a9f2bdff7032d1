/**
 * The API reference as Markdown: one file per entry point of each package, from the docstrings of the exported names.
 * TypeDoc needs TypeScript 5, so this folder is a private package with its own copy.
 * Leaves out: writing into the repository (generate.ts).
 */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Application,
  type DeclarationReflection,
  type ProjectReflection,
  ReflectionKind,
  type TypeDocOptions,
} from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';

const ROOT = new URL('../..', import.meta.url).pathname;

/** Folder of the committed reference. */
export const API_FOLDER = join(ROOT, 'docs/reference/api');

export interface ApiReference {
  /** Markdown by path below {@link API_FOLDER}. */
  readonly files: ReadonlyMap<string, string>;
  /** Exported names without a docstring, and entry points without a comment of their own. */
  readonly undocumented: readonly string[];
}

/** Reads all packages and renders their reference. Takes a few seconds. */
export async function readApi(): Promise<ApiReference> {
  const entries = entryPoints();
  const app = await Application.bootstrapWithPlugins(optionsFor([...entries.keys()]));
  const project = await app.convert();
  if (!project) throw new Error('TypeDoc could not read the packages');
  for (const module of project.children ?? []) nameModule(project, module, entries);
  return { files: await render(app, project), undocumented: undocumentedNames(project) };
}

/** Source files of the entry points, with the names under which programs import them. */
function entryPoints(): Map<string, string> {
  const entries = new Map<string, string>();
  for (const file of globSync('packages/*/package.json', { cwd: ROOT }).sort()) {
    const { name, exports = {} } = JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
    for (const [path, target] of Object.entries<unknown>(exports)) {
      if (typeof target !== 'string' || !target.endsWith('.ts')) continue;
      entries.set(join(ROOT, file, '..', target), join(name, path));
    }
  }
  return entries;
}

function optionsFor(entries: string[]): TypeDocOptions & Partial<PluginOptions> {
  return {
    entryPoints: entries,
    tsconfig: join(ROOT, 'docs/api-tool/tsconfig.json'),
    basePath: ROOT,
    plugin: ['typedoc-plugin-markdown'],
    skipErrorChecking: true, // TypeScript 7 checks the sources; TypeScript 5 only reads them here
    excludeExternals: true,
    disableSources: true, // line numbers would change with every edit
    readme: 'none',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    outputFileStrategy: 'modules',
    expandObjects: false,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    useCodeBlocks: true,
    name: 'API reference',
    logLevel: 'Error',
  };
}

/** Names a module by its import path without the scope: `verifier/cells`. */
function nameModule(
  project: ProjectReflection,
  module: DeclarationReflection,
  entries: ReadonlyMap<string, string>,
): void {
  const symbol = project.getSymbolIdFromReflection(module);
  const name =
    entries.get(join(ROOT, symbol?.fileName ?? '')) ?? entries.get(symbol?.fileName ?? '');
  if (name) module.name = name.replace('@cipo/', '');
}

function undocumentedNames(project: ProjectReflection): string[] {
  return (project.children ?? []).flatMap((module) => [
    ...(module.hasComment() ? [] : [`@cipo/${module.name} (comment of the entry file)`]),
    ...(module.children ?? [])
      .filter((one) => one.kind !== ReflectionKind.Reference && !isDocumented(one))
      .map((one) => `@cipo/${module.name}: ${one.name}`),
  ]);
}

function isDocumented(reflection: DeclarationReflection): boolean {
  return reflection.hasComment() || (reflection.signatures ?? []).some((one) => one.hasComment());
}

async function render(
  app: Application,
  project: ProjectReflection,
): Promise<ReadonlyMap<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'cipo-api-'));
  try {
    app.options.setValue('out', folder);
    app.options.setValue('outputs', [{ name: 'markdown', path: folder }]);
    await app.generateOutputs(project);
    const paths = globSync('**/*.md', { cwd: folder }).sort();
    return new Map(paths.map((path) => [path, tidy(readFileSync(join(folder, path), 'utf8'))]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Puts the scope back into the title, and gives destructured parameters a readable name. */
function tidy(markdown: string): string {
  const named = markdown.replaceAll(/(?:__|\\_\\_)namedParameters/g, 'options');
  return `${named.replace(/^# (?=[a-z])/m, '# @cipo/').trim()}\n`;
}
