/**
 * Merges file and flags into one checked configuration: schema defaults < preset < file < flags.
 * For a resumed run the file is the run's config.json, which already contains the preset.
 */
import { type TrainConfig, trainConfig } from '@cipo/trainer/config';
import { presets } from '@cipo/trainer/presets';
import type { z } from 'zod';
import { EXIT, UserError } from '../errors.ts';
import { flagLayer, type SettingFlags } from './flags.ts';
import { type Layer, merge } from './layers.ts';
import { describeIssues } from './problems.ts';
import { type SchemaView, trainSchema, viewOf } from './schema.ts';
import { readLayer } from './yaml.ts';

/** Where settings come from. */
interface Sources {
  /** YAML or JSON file. */
  readonly file?: string;
  readonly flags: SettingFlags;
  /** The file is a complete configuration: no preset is applied. */
  readonly complete?: boolean;
}

/** The configuration of a training run. @throws {UserError} exit code 2, with one message per problem */
export async function resolveConfig(sources: Sources): Promise<TrainConfig> {
  const layers = await readLayers(sources, trainSchema);
  const all = sources.complete ? layers : [...presetLayer(layers), ...layers];
  return checkLayers(trainConfig, trainSchema, all);
}

/** A configuration of any other schema, which has no presets. @throws {UserError} like {@link resolveConfig} */
export async function resolvePlain<S extends z.ZodType>(
  schema: S,
  sources: Sources,
): Promise<z.output<S>> {
  const view = viewOf(schema);
  return checkLayers(schema, view, await readLayers(sources, view));
}

async function readLayers({ file, flags }: Sources, schema: SchemaView): Promise<Layer[]> {
  const fromFile = file === undefined ? [] : [await readLayer(file, schema)];
  return [...fromFile, flagLayer(flags, schema)];
}

function presetLayer(layers: readonly Layer[]): Layer[] {
  const merged = merge(layers.map((layer) => layer.value));
  const preset = merged.preset ?? trainSchema.at(['preset'])?.default;
  const known = Object.entries(presets).find(([name]) => name === preset);
  if (!known) return []; // the schema reports it
  const [name, value] = known;
  return [{ value: { ...value }, locate: () => `preset ${name}` }];
}

function checkLayers<S extends z.ZodType>(
  schema: S,
  view: SchemaView,
  layers: readonly Layer[],
): z.output<S> {
  const merged = merge(layers.map((layer) => layer.value));
  const result = schema.safeParse(merged, { reportInput: true });
  if (result.success) return result.data;
  throw new UserError(describeIssues(result.error.issues, layers, view).join('\n'), EXIT.usage);
}
