/**
 * Scaling of rotary positions in a configuration: `rope_scaling` beside `rope_theta`, or both in `rope_parameters` as
 * in transformers 5. model/rope.ts computes the tables.
 * Leaves out: `dynamic` and `longrope`, whose angles change with the length of the sequence, so that cached keys would
 * have to be rotated again; rotating only a part of a head.
 */

import { isRecord } from '@cipo/support';
import { z } from 'zod';
import { EngineError } from '../errors.ts';

const positive = z.number().positive();
const original_max_position_embeddings = z.number().int().positive();

const KINDS = {
  linear: z.object({ rope_type: z.literal('linear'), factor: positive }),
  llama3: z.object({
    rope_type: z.literal('llama3'),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings,
  }),
  yarn: z.object({
    rope_type: z.literal('yarn'),
    factor: positive,
    original_max_position_embeddings,
    attention_factor: positive.optional(),
    mscale: z.number().optional(),
    mscale_all_dim: z.number().optional(),
    beta_fast: positive.default(32),
    beta_slow: positive.default(1),
    truncate: z.boolean().default(true),
  }),
};
export const ropeScaling = z.discriminatedUnion('rope_type', [
  KINDS.linear,
  KINDS.llama3,
  KINDS.yarn,
]);
export type RopeScaling = z.output<typeof ropeScaling>;
export type RopeKind = RopeScaling['rope_type'];
export type ScalingOf<K extends RopeKind> = Extract<RopeScaling, { rope_type: K }>;

const REFUSED: Readonly<Record<string, string>> = {
  dynamic: 'its angles change with the length of the sequence',
  longrope: 'its angles change with the length of the sequence',
};

type Raw = Readonly<Record<string, unknown>>;
/** The entries of an object that are neither null nor undefined. */
export function withoutNulls(raw: Raw): Raw {
  return Object.fromEntries(
    Object.entries(raw).filter(([, value]) => value !== null && value !== undefined),
  );
}

/**
 * `rope_theta` and `rope_scaling` from both forms; `rope_scaling` is absent for plain positions.
 * @throws EngineError `config` naming the kind and why it is not supported
 */
export function ropeFields(config: Raw): Record<string, unknown> {
  const found = config.rope_parameters ?? config.rope_scaling;
  if (found === undefined) return {};
  if (!isRecord(found))
    throw new EngineError(
      'config',
      `model config: rope_scaling must be an object, not ${JSON.stringify(found)}`,
    );
  const { type, rope_type = type ?? 'default', rope_theta, ...rest } = withoutNulls(found);
  refuse(rope_type, rest);
  return {
    ...(rope_theta !== undefined && { rope_theta }),
    ...(rope_type !== 'default' && {
      rope_scaling: {
        original_max_position_embeddings: config.max_position_embeddings,
        ...rest,
        rope_type,
      },
    }),
  };
}

function refuse(kind: unknown, { partial_rotary_factor: part = 1 }: Raw): void {
  const name = String(kind);
  if (Object.hasOwn(REFUSED, name))
    throw new EngineError(
      'config',
      `model config: rope_type "${name}" is not supported: ${REFUSED[name]}; default, ${Object.keys(KINDS).join(', ')} are`,
    );
  if (name !== 'default' && !Object.hasOwn(KINDS, name))
    throw new EngineError(
      'config',
      `model config: rope_type "${name}" is unknown; default, ${Object.keys(KINDS).join(', ')} are supported`,
    );
  if (part !== 1)
    throw new EngineError(
      'config',
      `model config: partial_rotary_factor ${part} is not supported, only 1`,
    );
}
