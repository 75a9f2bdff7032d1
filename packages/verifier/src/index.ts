/**
 * @packageDocumentation
 * The root entry point: both domains and the shared types. `@cipo/verifier/math` and
 * `@cipo/verifier/code` each load only their own domain. `@cipo/verifier/testing` has the contract suite for domains
 * that you write.
 */
export { codeDomain, createCodeVerifier } from './code/index.ts';
export { CODES, type Finding } from './codes.ts';
export { mathDomain, verifyMath } from './math/index.ts';
export * from './types.ts';
