/**
 * Random streams named by keys: `stream(seed, 'tasks', step)` is the same whenever it is asked for,
 * so a resumed run needs no generator state and no consumer can disturb another.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export interface Rng {
  /** Whole number in [low, high], both included. */
  int(low: number, high: number): number;
  /** Number in [0, 1). */
  unit(): number;
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
}

/** 32-bit FNV-1a of a text: stable across machines and versions. */
export function hash32(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

export function stream(...keys: readonly (string | number)[]): Rng {
  const generator = xoroshiro128plus(hash32(keys.join('\u0000')));
  const int = (low: number, high: number) => uniformInt(generator, low, high);
  return {
    int,
    unit: () => uniformFloat64(generator),
    pick: (items) => {
      if (items.length === 0) throw new RangeError('pick: no items');
      return items[int(0, items.length - 1)]!;
    },
    shuffle: (items) => {
      const copy = [...items];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = int(0, i);
        [copy[i], copy[j]] = [copy[j]!, copy[i]!];
      }
      return copy;
    },
  };
}
