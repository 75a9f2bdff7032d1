/**
 * Math verdicts: `mathDomain()` for training and evaluation, `verifyMath()` for one call, `MathPool` for many.
 * Importing this never loads the code domain.
 */

export { closeMath, type MathDomainOptions, mathDomain, verifyMath } from './domain.ts';
export { type Extracted, extract } from './extract.ts';
export {
  DEFAULTS,
  type Extraction,
  type MathOptions,
  mathOptions,
  OptionError,
} from './options.ts';
export { MathPool, type MathPoolOptions } from './pool.ts';
export { type MathReference, verdictOf } from './verdict.ts';
