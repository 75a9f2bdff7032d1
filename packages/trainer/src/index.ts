/** @packageDocumentation The trainer: configuration, presets, the loop and what it tells. */
export * from './config.ts';
export type * from './events.ts';
export { presets } from './presets.ts';
export * from './types.ts';
