/**
 * Command-line flags as a layer of settings. Values stay as written until the schema judges them,
 * so that a wrong flag and a wrong line in a file get the same kind of message.
 */
import { parse } from 'yaml';
import { EXIT, UserError } from '../errors.ts';
import { type Layer, merge, nest, says } from './layers.ts';
import { schemaAt } from './schema.ts';

export const ENGINES = ['onnx', 'tfjs', 'tfjs:wasm', 'tfjs:cpu', 'tfjs:tensorflow'] as const;

/** Flags that stand for a key of the configuration. */
export interface SettingFlags {
  readonly preset?: string;
  readonly steps?: string;
  readonly seed?: string;
  readonly model?: string;
  readonly engine?: string;
  /** `key.path=value`, in the order given. */
  readonly set?: readonly string[];
}

/** One layer: the named flags, then every `--set`, later ones winning. */
export function flagLayer(flags: SettingFlags): Layer {
  const parts = [...namedParts(flags), ...(flags.set ?? []).map(settingPart)];
  return {
    value: merge(parts.map((part) => part.value)),
    locate: (path) => parts.findLast((part) => says(part.value, path))?.flag ?? 'command line',
  };
}

interface Part {
  readonly flag: string;
  readonly value: ReturnType<typeof nest>;
}

function namedParts(flags: SettingFlags): Part[] {
  const parts: Part[] = [];
  if (flags.preset !== undefined) parts.push(part('--preset', ['preset'], flags.preset));
  if (flags.steps !== undefined) parts.push(part('--steps', ['steps'], flags.steps));
  if (flags.seed !== undefined) parts.push(part('--seed', ['seed'], flags.seed));
  if (flags.model !== undefined) parts.push(part('--model', ['model'], flags.model));
  if (flags.engine !== undefined) parts.push(enginePart(flags.engine));
  return parts;
}

function part(flag: string, path: readonly string[], written: string): Part {
  return { flag, value: nest(path, scalar(path, written)) };
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

function settingPart(written: string): Part {
  const at = written.indexOf('=');
  const keys = written.slice(0, Math.max(at, 0)).trim().split('.');
  if (at < 1 || keys.some((key) => key === '')) {
    throw new UserError(
      `--set: received ${JSON.stringify(written)}, allowed is key.path=value, as in --set rollout.prompts=16.`,
      EXIT.usage,
    );
  }
  return part(`--set ${keys.join('.')}`, keys, written.slice(at + 1).trim());
}

/** Numbers, booleans and lists as YAML reads them; where the schema wants text, the text as it stands. */
function scalar(path: readonly string[], written: string): unknown {
  const node = schemaAt(path);
  if (node?.type === 'string') return written;
  try {
    return parse(written);
  } catch {
    // Not YAML: the text itself is what the schema then complains about.
    return written;
  }
}
