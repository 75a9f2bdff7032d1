/**
 * The waiting timers as a binary heap. The first one is due first; of equal ones the older. A timer knows its `slot` in
 * the heap, -1 if it is not in the heap, so that it can be removed from any place.
 */
import { setPrototypeOf } from './primordials.js';

/** A list without a prototype: a program cannot intercept its entries with a setter. */
export const bareList = () => setPrototypeOf([], null);

const heap = bareList();

const isSooner = (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

const place = (timer, slot) => {
  heap[slot] = timer;
  timer.slot = slot;
};

const rise = (timer, from) => {
  let slot = from;
  while (slot > 0) {
    const above = (slot - 1) >> 1;
    if (!isSooner(timer, heap[above])) break;
    place(heap[above], slot);
    slot = above;
  }
  place(timer, slot);
};

const sink = (timer, from) => {
  let slot = from;
  for (;;) {
    let below = 2 * slot + 1;
    if (below + 1 < heap.length && isSooner(heap[below + 1], heap[below])) below += 1;
    if (below >= heap.length || !isSooner(heap[below], timer)) break;
    place(heap[below], slot);
    slot = below;
  }
  place(timer, slot);
};

export const firstTimer = () => heap[0];

export const addTimer = (timer) => rise(timer, heap.length);

export const removeTimer = (timer) => {
  const { slot } = timer;
  const last = heap[heap.length - 1];
  heap.length -= 1;
  timer.slot = -1;
  if (last === timer) return;
  if (slot > 0 && isSooner(last, heap[(slot - 1) >> 1])) rise(last, slot);
  else sink(last, slot);
};
