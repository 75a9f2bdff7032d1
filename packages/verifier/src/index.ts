/**
 * Everything a verdict needs. `@cipo/verifier/math` and `@cipo/verifier/code` load only their own half;
 * `@cipo/verifier/testing` has the contract suite for domains of your own.
 */
export { codeDomain, createCodeVerifier } from './code/index.ts';
export { CODES, type Finding } from './codes.ts';
export { mathDomain, verifyMath } from './math/index.ts';
export * from './types.ts';
