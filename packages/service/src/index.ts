/** @packageDocumentation Judges rows of any domain: the library behind `cipo verify` and `cipo serve`. */
export { type FlowOptions, inOrder } from './flow.ts';
export {
  badRow,
  createJudge,
  type Judge,
  type JudgeOptions,
  type RowStatus,
  type RowVerdict,
} from './judge.ts';
export { verdictLine } from './write.ts';
