/** Places tensors that belong together one after another, in as few arrays as possible. */

import type { Shape } from '../../ops.ts';
import { sizeOf } from '../../ops.ts';
import { MOST_FLOATS, reachableFloats } from '../../training/in-place.ts';

/** Floats; each tensor begins on a cache line. */
const ALIGNMENT = 16;

/** One array and the tensors in it. */
export interface Placed {
  readonly array: Float32Array;
  readonly parts: readonly Float32Array[];
}

/** Zeros for tensors of these shapes. An array holds at most `most` floats, unless one tensor alone is larger. */
export function placeTensors(shapes: readonly Shape[], most = MOST_FLOATS): Placed[] {
  const runs: Shape[][] = [];
  let room = 0;
  for (const shape of shapes) {
    const length = paddedLength(shape);
    if (length > room) {
      runs.push([]);
      room = most;
    }
    runs.at(-1)!.push(shape);
    room -= length;
  }
  return runs.map(oneArray);
}

function oneArray(shapes: readonly Shape[]): Placed {
  const array = reachableFloats(shapes.reduce((sum, shape) => sum + paddedLength(shape), 0));
  let end = 0;
  const parts = shapes.map((shape) => {
    const start = end;
    end += paddedLength(shape);
    return array.subarray(start, start + sizeOf(shape));
  });
  return { array, parts };
}

function paddedLength(shape: Shape): number {
  return Math.ceil(sizeOf(shape) / ALIGNMENT) * ALIGNMENT;
}
