/** Reward terms by name, and their composition into one reward. */
export { composeReward } from './compose.ts';
export { correct, format, tests } from './outcome.ts';
export { language, length, noCode, repetition, think } from './text.ts';
export type { Composed, Reward, Scored, Term, Weighted } from './types.ts';
