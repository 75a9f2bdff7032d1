/**
 * From file and flags to one checked configuration: schema defaults < preset < file < flags.
 * For a resumed run the file is the run's own config.json, which already holds its preset.
 */
import { type TrainConfig, trainConfig } from '@cipo/trainer/config';
import { presets } from '@cipo/trainer/presets';
import type { z } from 'zod';
import { EXIT, UserError } from '../errors.ts';
import { flagLayer, type SettingFlags } from './flags.ts';
import { type Layer, merge } from './layers.ts';
import { problems } from './problems.ts';
import { type SchemaView, trainSchema, viewOf } from './schema.ts';
import { readLayer } from './yaml.ts';

export interface Sources {
  /** YAML or JSON file. */
  readonly file?: string;
  readonly flags: SettingFlags;
  /** The file is a complete configuration already: lay no preset under it. */
  readonly complete?: boolean;
}

/** The configuration of a training run. @throws {UserError} exit code 2 with one message per problem. */
export async function resolveConfig(sources: Sources): Promise<TrainConfig> {
  const written = await writtenLayers(sources, trainSchema);
  const layers = sources.complete ? written : [...presetLayer(written), ...written];
  return check(trainConfig, trainSchema, layers);
}

/** Any other configuration, which has no presets. @throws {UserError} as above. */
export async function resolvePlain<S extends z.ZodType>(
  schema: S,
  sources: Sources,
): Promise<z.output<S>> {
  const view = viewOf(schema);
  return check(schema, view, await writtenLayers(sources, view));
}

async function writtenLayers({ file, flags }: Sources, schema: SchemaView): Promise<Layer[]> {
  const fromFile = file === undefined ? [] : [await readLayer(file, schema)];
  return [...fromFile, flagLayer(flags, schema)];
}

function presetLayer(written: readonly Layer[]): Layer[] {
  const merged = merge(written.map((layer) => layer.value));
  const preset = merged.preset ?? trainSchema.at(['preset'])?.default;
  const known = Object.entries(presets).find(([name]) => name === preset);
  if (!known) return []; // wrong: then the schema says so
  const [name, value] = known;
  return [{ value: { ...value }, locate: () => `preset ${name}` }];
}

function check<S extends z.ZodType>(
  schema: S,
  view: SchemaView,
  layers: readonly Layer[],
): z.output<S> {
  const merged = merge(layers.map((layer) => layer.value));
  const result = schema.safeParse(merged, { reportInput: true });
  if (result.success) return result.data;
  throw new UserError(problems(result.error.issues, layers, view).join('\n'), EXIT.usage);
}
