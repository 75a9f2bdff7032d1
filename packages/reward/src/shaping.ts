/** Changes to a reward, each with its source. Each is a pure function of numbers. */

/**
 * Risk shaping [A]: r' = r - lambda * 1[anchor correct and correction incorrect]. A correction that turns a correct
 * attempt into an incorrect one costs lambda more. Within a group that shares one anchor this is an affine map of a binary
 * r: see `riskMode` of the trainer for the consequences.
 *
 * @param broken the anchor was correct and this correction is incorrect
 */
export function shapeRisk(reward: number, broken: boolean, lambda: number): number {
  return broken ? reward - lambda : reward;
}

/**
 * Soft overlong punishment, equation 13 of DAPO (arXiv 2503.14476): 0 up to `maxTokens - buffer`, then linear down to -1
 * at `maxTokens`.
 *
 * @param length length of the completion in tokens
 * @param buffer width of the linear part in tokens; 0 switches the penalty off
 */
export function overlongPenalty(length: number, maxTokens: number, buffer: number): number {
  if (buffer <= 0) return 0;
  const over = length - (maxTokens - buffer);
  return over <= 0 ? 0 : -Math.min(1, over / buffer);
}
