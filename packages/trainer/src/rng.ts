/**
 * Random generators named by keys: `createRng(seed, 'tasks', step)` always gives the same numbers. A resumed run
 * therefore needs no generator state, and no consumer can disturb another.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A deterministic random generator. Every call advances it. */
export interface Rng {
  /** An integer in [low, high], both included. */
  int(low: number, high: number): number;
  /** A number in [0, 1). */
  unit(): number;
  /** One of the items, all equally likely. @throws {RangeError} if there are none */
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** 32-bit FNV-1a over the UTF-16 units of a text: the same on every machine and version. */
export function hashText(text: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  }
  return hash >>> 0;
}

/** The generator of these keys. */
export function createRng(...keys: readonly (string | number)[]): Rng {
  const generator = xoroshiro128plus(hashText(keys.join('\u0000')));
  const int = (low: number, high: number) => uniformInt(generator, low, high);
  return {
    int,
    unit: () => uniformFloat64(generator),
    pick: (items) => {
      if (items.length === 0) throw new RangeError('pick: expected at least one item');
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
