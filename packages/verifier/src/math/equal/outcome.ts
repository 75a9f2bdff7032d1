/** The outcome of a comparison, the stages that decide it, and the context that all comparisons share. */
import type { MathOptions } from '../options.ts';

/** The stage that decided a comparison. */
export type Stage =
  | 'same-text'
  | 'words'
  | 'exact'
  | 'rounded'
  | 'modular'
  | 'probing'
  | 'high-precision'
  | 'structure'
  | 'guard';

export interface Outcome {
  readonly result: 'equal' | 'different' | 'undecided';
  readonly stage: Stage;
  /** The reason in a few words for the operator, if the stage does not tell it. */
  readonly note?: string;
}

export interface Context {
  readonly options: MathOptions;
  /** Whether the question asks for a percentage. */
  readonly asksPercent: boolean;
  /**
   * Whether expressions may be evaluated at places. That is bounded, but takes tens of milliseconds: a process that
   * serves others says no and hands the comparison to a cell.
   */
  readonly canProbe: boolean;
}

/** Thrown if a comparison has to evaluate at places and the context does not allow it. */
export class NeedsProbing extends Error {
  override readonly name = 'NeedsProbing';
}

/** Must be called before every evaluation at places. @throws {NeedsProbing} if the context does not allow it */
export function requireProbing(ctx: Context): void {
  if (!ctx.canProbe) throw new NeedsProbing('this comparison needs probing');
}

export function equal(stage: Stage): Outcome {
  return { result: 'equal', stage };
}

export function different(stage: Stage, note?: string): Outcome {
  return note === undefined ? { result: 'different', stage } : { result: 'different', stage, note };
}

export function undecided(stage: Stage, note?: string): Outcome {
  return note === undefined ? { result: 'undecided', stage } : { result: 'undecided', stage, note };
}

const ORDER: readonly Stage[] = [
  'same-text',
  'words',
  'exact',
  'structure',
  'rounded',
  'modular',
  'probing',
  'high-precision',
  'guard',
];
export function laterStage(a: Stage, b: Stage): Stage {
  return ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b;
}

/** Equal if all are equal, different if one is different, else undecided. */
export function compareAll<T>(
  items: readonly T[],
  compare: (item: T, index: number) => Outcome,
): Outcome {
  let stage: Stage = 'structure';
  let open: Outcome | undefined;
  for (const [index, item] of items.entries()) {
    const outcome = compare(item, index);
    if (outcome.result === 'different') return outcome;
    if (outcome.result === 'undecided') open = outcome;
    stage = laterStage(stage, outcome.stage);
  }
  return open ?? equal(stage);
}

/** Equal if one of several ways says so, else different, unless one was undecided. */
export function compareAny(ways: readonly (() => Outcome)[]): Outcome {
  let best: Outcome | undefined;
  for (const way of ways) {
    const outcome = way();
    if (outcome.result === 'equal') return outcome;
    if (!best || outcome.result === 'undecided') best = outcome;
  }
  return best ?? different('structure');
}

/** Two types that never match. The diagnostic already shows both, so there is no note. */
export const TYPE_MISMATCH: Outcome = { result: 'different', stage: 'structure' };
