/** Rows in, verdict rows out: what `cipo verify` and `cipo serve` judge with. */
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
