/** Adaptive replay [A]: the share rho of correct anchors follows how often correct attempts stay correct. */
import type { TrainConfig } from '../config.ts';

/** State of adaptive replay between two steps. */
export interface ReplayState {
  /** rho_t: share of correct anchors, in [0, 1]. */
  readonly rho: number;
  /** R_{t-1}; undefined until a step had correct anchors. */
  readonly retention?: number;
  /** c_t: steps in a row with R_t < R*. */
  readonly below: number;
}

/** R_t counts at most this many steps in a row below its target. */
const MAX_STEPS_BELOW = 3;

/** The state before the first step. @param initial rho_0, `corrections.replay.initial` */
export function startReplay(initial: number): ReplayState {
  return { rho: initial, below: 0 };
}

/**
 * rho_{t+1} = clip(rho_t * [1 + w1 (R* - R_t) + w2 max(0, R_{t-1} - R_t) + w3 min(c_t, 3)], rho_min, rho_max)
 * @param retention R_t, share of correct rollouts of correct anchors; undefined (no such rollouts) keeps the state
 */
export function nextReplay(
  state: ReplayState,
  retention: number | undefined,
  { target, gains: [w1, w2, w3], min, max }: TrainConfig['corrections']['replay'],
): ReplayState {
  if (retention === undefined) return state;
  const below = retention < target ? state.below + 1 : 0;
  const drop = Math.max(0, (state.retention ?? retention) - retention);
  const factor = 1 + w1 * (target - retention) + w2 * drop + w3 * Math.min(below, MAX_STEPS_BELOW);
  return { rho: Math.min(max, Math.max(min, state.rho * factor)), retention, below };
}
