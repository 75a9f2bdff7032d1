/**
 * @packageDocumentation
 * Exact verification of math answers: `mathDomain()` for training and evaluation, `verifyMath()` for
 * one response, `MathPool` for many. Importing it never loads the code domain.
 */
export { closeMath, type MathDomainOptions, mathDomain, verifyMath } from './domain.ts';
export { type Extraction, type MathOptions, mathOptions } from './options.ts';
export { MathPool, type MathPoolOptions } from './pool.ts';
export { type MathReference, verdictOf } from './verdict.ts';
