/** Small pure changes to a reward, each with its source. They compose by plain application. */

/**
 * Risk shaping [A]: r' = r - lambda * 1[anchor correct and attempt wrong]. Turning a right attempt wrong costs lambda
 * more. Inside one group that shares an anchor this is an affine map of a binary r: see `riskMode` of the trainer for
 * what that means.
 * @param broken a right attempt was shown, and this one is wrong
 */
export function shapeRisk(reward: number, broken: boolean, lambda: number): number {
  return broken ? reward - lambda : reward;
}

/**
 * Soft overlong punishment, eq. 13 of DAPO (arXiv 2503.14476): 0 up to maxTokens - buffer, then linear down to -1 at maxTokens.
 * @param length tokens of the completion
 */
export function overlongPenalty(length: number, maxTokens: number, buffer: number): number {
  if (buffer <= 0) return 0;
  const over = length - (maxTokens - buffer);
  return over <= 0 ? 0 : -Math.min(1, over / buffer);
}
