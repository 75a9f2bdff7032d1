/** Rows in, verdict rows out: what `cipo verify` and `cipo serve` judge with. */
export {
  createJudge,
  type Judge,
  type JudgeOptions,
  type RowStatus,
  type RowVerdict,
} from './judge.ts';
