/**
 * Command-line flags as a layer of settings. Values stay as written until the schema judges them,
 * so that a wrong flag and a wrong line in a file get the same kind of message.
 */
import { parse } from 'yaml';
import { EXIT, UserError } from '../errors.ts';
import { chosenDomains } from './domains.ts';
import { type Layer, merge, nest, says } from './layers.ts';
import type { SchemaView } from './schema.ts';

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

/** Flags that stand for a key of the configuration. */
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

/** One layer: the named flags, then every `--set`, later ones winning. */
export function flagLayer(flags: SettingFlags, schema: SchemaView): Layer {
  const set = (flags.set ?? []).map((written) => settingPart(written, schema));
  const parts = [...namedParts(flags, schema), ...domainParts(flags.domain), ...set];
  return {
    value: merge(parts.map((part) => part.value)),
    locate: (path) => parts.findLast((part) => says(part.value, path))?.flag ?? 'command line',
  };
}

interface Part {
  readonly flag: string;
  readonly value: ReturnType<typeof nest>;
}

function namedParts(flags: SettingFlags, schema: SchemaView): Part[] {
  const parts = Object.entries(NAMED).flatMap(([name, path]): Part[] => {
    const written = flags[name as keyof typeof NAMED];
    return written === undefined ? [] : [part(`--${name}`, path, written, schema)];
  });
  return flags.engine === undefined ? parts : [...parts, enginePart(flags.engine)];
}

function domainParts(written: readonly string[] | undefined): Part[] {
  const { plugins, domain } = chosenDomains(written);
  const flag = '--domain';
  return [
    ...(plugins.length === 0 ? [] : [{ flag, value: nest(['domains'], plugins) }]),
    ...(domain === undefined ? [] : [{ flag, value: nest(['tasks', 'domain'], domain) }]),
  ];
}

function part(flag: string, path: readonly string[], written: string, schema: SchemaView): Part {
  return { flag, value: nest(path, scalar(schema.at(path)?.type, written)) };
}

function enginePart(written: string): Part {
  if (!ENGINES.some((engine) => engine === written)) {
    throw new UserError(
      `--engine: received ${JSON.stringify(written)}, allowed is one of ${ENGINES.join(', ')}.`,
      EXIT.usage,
    );
  }
  const [executor, backend] = written.split(':');
  return { flag: '--engine', value: nest(['engine'], { executor, ...(backend && { backend }) }) };
}

function settingPart(written: string, schema: SchemaView): Part {
  const at = written.indexOf('=');
  const keys = written.slice(0, Math.max(at, 0)).trim().split('.');
  if (at < 1 || keys.some((key) => key === '')) {
    throw new UserError(
      `--set: received ${JSON.stringify(written)}, allowed is key.path=value, as in --set rollout.prompts=16.`,
      EXIT.usage,
    );
  }
  return part(`--set ${keys.join('.')}`, keys, written.slice(at + 1).trim(), schema);
}

/** Numbers, booleans and lists as YAML reads them; where the schema wants text, the text as it stands. */
function scalar(wanted: string | undefined, written: string): unknown {
  if (wanted === 'string') return written;
  try {
    return parse(written);
  } catch {
    // Not YAML: the text itself is what the schema then complains about.
    return written;
  }
}
