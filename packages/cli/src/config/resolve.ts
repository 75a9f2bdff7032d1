/**
 * From file and flags to one checked configuration: schema defaults < preset < file < flags.
 * For a resumed run the file is the run's own config.json, which already holds its preset.
 */
import { type TrainConfig, trainConfig } from '@cipo/trainer/config';
import { presets } from '@cipo/trainer/presets';
import { EXIT, UserError } from '../errors.ts';
import { flagLayer, type SettingFlags } from './flags.ts';
import { type Layer, merge } from './layers.ts';
import { problems } from './problems.ts';
import { schemaAt } from './schema.ts';
import { readLayer } from './yaml.ts';

export interface Sources {
  /** YAML or JSON file. */
  readonly file?: string;
  readonly flags: SettingFlags;
  /** The file is a complete configuration already: lay no preset under it. */
  readonly complete?: boolean;
}

/** @throws {UserError} exit code 2 with one message per problem. */
export async function resolveConfig(sources: Sources): Promise<TrainConfig> {
  const written: Layer[] = [];
  if (sources.file !== undefined) written.push(await readLayer(sources.file));
  written.push(flagLayer(sources.flags));
  return check(sources.complete ? written : [...presetLayer(written), ...written]);
}

function presetLayer(written: readonly Layer[]): Layer[] {
  const merged = merge(written.map((layer) => layer.value));
  const preset = merged.preset ?? schemaAt(['preset'])?.default;
  const known = Object.entries(presets).find(([name]) => name === preset);
  if (!known) return []; // absent, or wrong: then the schema says so
  const [name, value] = known;
  return [{ value: { ...value }, locate: () => `preset ${name}` }];
}

function check(layers: readonly Layer[]): TrainConfig {
  const merged = merge(layers.map((layer) => layer.value));
  const result = trainConfig.safeParse(merged, { reportInput: true });
  if (result.success) return result.data;
  throw new UserError(problems(result.error.issues, layers).join('\n'), EXIT.usage);
}
