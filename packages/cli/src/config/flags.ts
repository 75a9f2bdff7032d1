/**
 * Turns command-line flags into a layer of settings. The schema checks the values later, so that a wrong flag and a wrong
 * line of a file get the same kind of message.
 */
import { parse } from 'yaml';
import { EXIT, UserError } from '../errors.ts';
import { chooseDomains } from './domains.ts';
import { hasPath, type Layer, merge, nest } from './layers.ts';
import type { SchemaView } from './schema.ts';

/** Values of `--engine`: an executor, or an executor and its backend. */
export const ENGINES = [
  'onnx',
  'onnx:cpu',
  'onnx:webgpu',
  'tfjs',
  'tfjs:tensorflow',
  'tfjs:webgpu',
  'tfjs:wasm',
  'tfjs:cpu',
] as const;

/** Flags that set a key of the configuration. */
export interface SettingFlags {
  readonly preset?: string;
  readonly steps?: string;
  readonly seed?: string;
  readonly model?: string;
  readonly engine?: string;
  /** `evaluation.tasks` and `evaluation.samples`. */
  readonly tasks?: string;
  readonly samples?: string;
  /** Domains and plug-ins, in the order given. */
  readonly domain?: readonly string[];
  /** `key.path=value`, in the order given. */
  readonly set?: readonly string[];
}

const NAMED = {
  preset: ['preset'],
  steps: ['steps'],
  seed: ['seed'],
  model: ['model'],
  tasks: ['evaluation', 'tasks'],
  samples: ['evaluation', 'samples'],
} as const;

/** One layer of the named flags and every `--set`. Later values override earlier ones. */
export function flagLayer(flags: SettingFlags, schema: SchemaView): Layer {
  const set = (flags.set ?? []).map((setting) => settingPart(setting, schema));
  const parts = [...namedParts(flags, schema), ...domainParts(flags.domain), ...set];
  return {
    value: merge(parts.map((part) => part.value)),
    locate: (path) => parts.findLast((part) => hasPath(part.value, path))?.flag ?? 'command line',
  };
}

interface Part {
  readonly flag: string;
  readonly value: ReturnType<typeof nest>;
}

function namedParts(flags: SettingFlags, schema: SchemaView): Part[] {
  const parts = Object.entries(NAMED).flatMap(([name, path]): Part[] => {
    const text = flags[name as keyof typeof NAMED];
    return text === undefined ? [] : [flagPart(`--${name}`, path, text, schema)];
  });
  return flags.engine === undefined ? parts : [...parts, enginePart(flags.engine)];
}

function domainParts(names: readonly string[] | undefined): Part[] {
  const { plugins, domain } = chooseDomains(names);
  const flag = '--domain';
  return [
    ...(plugins.length === 0 ? [] : [{ flag, value: nest(['domains'], plugins) }]),
    ...(domain === undefined ? [] : [{ flag, value: nest(['tasks', 'domain'], domain) }]),
  ];
}

function flagPart(flag: string, path: readonly string[], text: string, schema: SchemaView): Part {
  return { flag, value: nest(path, parseScalar(schema.at(path)?.type, text)) };
}

const GPU_HINT =
  'For a GPU use onnx:webgpu, or tfjs:tensorflow with CUDA; docs/guide/backends.md explains both, and cipo doctor shows what works here.';

function enginePart(text: string): Part {
  if (!ENGINES.some((engine) => engine === text)) {
    throw new UserError(
      `--engine: expected one of ${ENGINES.join(', ')}, got ${JSON.stringify(text)}. ${GPU_HINT}`,
      EXIT.usage,
    );
  }
  const [executor, backend] = text.split(':');
  return { flag: '--engine', value: nest(['engine'], { executor, ...(backend && { backend }) }) };
}

function settingPart(text: string, schema: SchemaView): Part {
  const at = text.indexOf('=');
  const keys = text.slice(0, Math.max(at, 0)).trim().split('.');
  if (at < 1 || keys.some((key) => key === '')) {
    throw new UserError(
      `--set: expected key.path=value, for example --set rollout.prompts=16, got ${JSON.stringify(text)}.`,
      EXIT.usage,
    );
  }
  return flagPart(`--set ${keys.join('.')}`, keys, text.slice(at + 1).trim(), schema);
}

/** Numbers, booleans and lists as YAML reads them. If the schema wants a string, the text stays as it is. */
function parseScalar(type: string | undefined, text: string): unknown {
  if (type === 'string') return text;
  try {
    return parse(text);
  } catch {
    return text; // not YAML: the schema reports the text itself
  }
}
