/** The assembled module is what its source says, and puts back whatever differs. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BUILT, buildRestore } from './build-restore.ts';

interface Memory {
  readonly buffer: ArrayBuffer;
}
interface Restore {
  readonly exports: { restore(at: number, end: number): number };
}
/** As much of it as is used here; the libraries for Node do not declare it. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum?: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => Restore;
};

const PAGE = 4096;
const KB64 = 65_536;

function open() {
  const heap = new WebAssembly.Memory({ initial: 2 });
  const image = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const module = new WebAssembly.Module(readFileSync(BUILT));
  const { exports } = new WebAssembly.Instance(module, { restore: { heap, image } });
  return {
    heap: new Uint8Array(heap.buffer),
    image: new Uint8Array(image.buffer),
    restore: exports.restore,
  };
}

test('restore.wasm is restore.wat assembled', async () => {
  expect(Buffer.from(readFileSync(BUILT)).equals(Buffer.from(await buildRestore()))).toBe(true);
});

test('every byte that differs is put back, wherever it is, and no other page is written', () => {
  const { heap, image, restore } = open();
  for (let i = 0; i < KB64; i++) image[i] = (i * 31 + (i >> 8)) & 255;
  heap.set(image);
  const place = fc.nat(KB64 - 1);
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(place, fc.integer({ min: 1, max: 255 }))), (changes) => {
      const places = new Set(changes.map(([at]) => at));
      for (const at of places) heap[at] = heap[at]! ^ changes.find(([own]) => own === at)![1];
      const pages = new Set([...places].map((at) => Math.floor(at / PAGE)));
      expect(restore(0, KB64)).toBe(pages.size);
      expect(Buffer.compare(heap.subarray(0, KB64), image)).toBe(0);
    }),
  );
});

test('an empty range touches nothing', () => {
  const { heap, restore } = open();
  heap[5] = 1;
  expect(restore(0, 0)).toBe(0);
  expect(heap[5]).toBe(1);
  expect(restore(0, PAGE)).toBe(1);
  expect(heap[5]).toBe(0);
});
