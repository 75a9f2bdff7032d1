/** Everything a verdict needs. `@cipo/verifier/math` and `@cipo/verifier/code` load only their own half. */
export * from './types.ts';
