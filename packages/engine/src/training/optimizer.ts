/**
 * One AdamW step on the trained tensors: in place if their arrays are in this process, else with the programs of
 * adamw.ts.
 */

import type { Runner } from '../executors/runner.ts';
import { f32 } from '../ops.ts';
import type { TensorSet, TrainedTensors } from '../weights/store.ts';
import {
  type AdamWScalars,
  adamwProgram,
  type BlockArrays,
  type BlockGroup,
  blockGroups,
  blockStates,
  foldedScalars,
  normProgram,
} from './adamw.ts';
import { adamwInPlace, sumOfSquares } from './in-place.ts';

/** The Euclidean norm of all gradients together. */
export async function gradientNorm(
  runner: Runner,
  { blocks, training }: TrainedTensors,
): Promise<number> {
  const here = training.grad.blocks.map(({ memory }) => memory);
  if (here.every((array) => array instanceof Float32Array))
    return Math.sqrt(here.reduce((sum, array) => sum + sumOfSquares(array), 0));
  let squares = 0;
  for (const group of blockGroups(blocks)) {
    const { norm } = await runner.run({
      key: `norm ${group.key}`,
      make: () => normProgram(group.blocks),
      resident: blockStates({ grad: buffersOf(training.grad, group) }),
      fresh: {},
      wanted: { norm: f32() },
    });
    squares += norm[0]! ** 2;
  }
  return Math.sqrt(squares);
}

/** Updates weights and both moments by one step. */
export async function takeStep(
  runner: Runner,
  tensors: TrainedTensors,
  values: AdamWScalars,
): Promise<void> {
  const { blocks } = tensors;
  const here = blocks.flatMap((block, i) => {
    const arrays = arraysOf(tensors, i);
    return arrays ? [{ block, arrays }] : [];
  });
  if (here.length === blocks.length)
    for (const { block, arrays } of here) adamwInPlace(arrays, block, values);
  else for (const group of blockGroups(blocks)) await runStep(runner, tensors, group, values);
}

/** The arrays of a block, if they are in this process. */
function arraysOf({ weights, training }: TrainedTensors, block: number): BlockArrays | undefined {
  const sets = { weight: weights, ...training };
  const found = Object.entries(sets).map(([name, set]) => [name, set.blocks[block]?.memory]);
  const isHere = found.every(([, array]) => array instanceof Float32Array);
  return isHere ? Object.fromEntries(found) : undefined;
}

async function runStep(
  runner: Runner,
  { weights, training }: TrainedTensors,
  group: BlockGroup,
  values: AdamWScalars,
): Promise<void> {
  const updated = blockStates({
    weight: buffersOf(weights, group),
    grad: buffersOf(training.grad, group),
    mean: buffersOf(training.mean, group),
    square: buffersOf(training.square, group),
  });
  const folded = Object.entries(foldedScalars(values));
  const scalars = folded.map(([name, x]) => [name, Float32Array.of(x)]);
  await runner.run({
    key: `adamw ${group.key}`,
    make: () => adamwProgram(group.blocks),
    resident: updated,
    fresh: Object.fromEntries(scalars),
    wanted: {},
    updated,
  });
}

function buffersOf(set: TensorSet, { start, blocks }: BlockGroup) {
  return set.blocks.slice(start, start + blocks.length);
}
