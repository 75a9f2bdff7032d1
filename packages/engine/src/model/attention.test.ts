import { expect, test } from 'vitest';
import { Tape } from '../autodiff/tape.ts';
import { type Plain, plain, ReferenceOps } from '../reference/reference.ts';
import { normals } from '../sampling/random.ts';
import { relativeError, tinyConfig } from '../testing/data.ts';
import { groupedAttention, type Layout, MASKED, totalRows } from './attention.ts';
import { ropeTables } from './rope.ts';

const ops = new ReferenceOps();
const [heads, kv, d] = [tinyConfig.num_attention_heads, tinyConfig.num_key_value_heads, 4];

/** Rows of zeros in the rotation: position 0 everywhere, so that the formula below needs no angles. */
function attend(layout: Layout, rows: readonly Plain[], padded: readonly number[]) {
  const { cos, sin } = ropeTables(tinyConfig, 1);
  const mask = plain(
    padded.flatMap((n) => Array.from({ length: layout.prefix }, (_, i) => (i < n ? 0 : MASKED))),
    [layout.groups, layout.prefix],
  );
  const tape = new Tape(ops);
  const [q, k, v] = rows.map((x) => tape.variable(x));
  const attention = groupedAttention(
    { ops: tape, config: tinyConfig, layout },
    {
      positions: tape.fixed(plain(new Float64Array(totalRows(layout)), [totalRows(layout)])),
      cos: tape.fixed(plain(cos, [1, d / 2])),
      sin: tape.fixed(plain(sin, [1, d / 2])),
      ...(layout.prefix > 0 && { prefixMask: tape.fixed(mask) }),
    },
    true,
  );
  const out = attention.attend(0, q!, k!, v!);
  return { out: out.value, tape, of: out, variables: [q!, k!, v!] };
}

/** Rows that a row sees: its prefix as far as it is no padding, and its own sequence up to itself. */
function visible(layout: Layout, row: number, padded: readonly number[]): number[] {
  const { groups, prefix, branches, length } = layout;
  const own = groups * prefix;
  const span = (start: number, n: number) => Array.from({ length: n }, (_, i) => start + i);
  if (row < own) {
    const start = row - (row % prefix);
    return span(start, (row % prefix) + 1);
  }
  const branch = Math.floor((row - own) / length);
  const group = Math.floor(branch / branches);
  const start = own + branch * length;
  return [...span(group * prefix, padded[group] ?? 0), ...span(start, row - start + 1)];
}

function byDefinition(layout: Layout, rows: readonly Plain[], padded: readonly number[]) {
  const [q, k, v] = rows.map((x) => x.data);
  const out = new Float64Array(totalRows(layout) * heads * d);
  for (let row = 0; row < totalRows(layout); row++)
    for (let head = 0; head < heads; head++) {
      const at = (x: ArrayLike<number>, r: number, width: number, h: number) =>
        Array.from({ length: d }, (_, i) => x[r * width + h * d + i]!);
      const group = Math.floor(head / (heads / kv));
      const query = at(q!, row, heads * d, head);
      const seen = visible(layout, row, padded);
      const scores = seen.map((r) => {
        const key = at(k!, r, kv * d, group);
        return query.reduce((sum, x, i) => sum + x * key[i]!, 0) / Math.sqrt(d);
      });
      const most = Math.max(...scores);
      const weights = scores.map((x) => Math.exp(x - most));
      const total = weights.reduce((a, b) => a + b);
      for (const [n, r] of seen.entries())
        for (const [i, x] of at(v!, r, kv * d, group).entries())
          out[row * heads * d + head * d + i]! += (weights[n]! / total) * x;
    }
  return out;
}

const layouts: readonly (readonly [string, Layout, readonly number[]])[] = [
  ['short rows, whole', { groups: 2, prefix: 5, branches: 2, length: 4 }, [5, 3]],
  ['long sequences, in parts', { groups: 1, prefix: 0, branches: 1, length: 131 }, []],
  ['four parts of uneven length', { groups: 1, prefix: 0, branches: 1, length: 270 }, []],
  ['a long prefix', { groups: 2, prefix: 130, branches: 2, length: 3 }, [130, 100]],
  ['long branches of a prefix', { groups: 1, prefix: 7, branches: 2, length: 129 }, [4]],
];

test.each(layouts)('every row attends to exactly the rows it may see: %s', (_, layout, padded) => {
  const n = totalRows(layout);
  const shapes = [heads * d, kv * d, kv * d].map((width) => [n, width]);
  const rows = shapes.map((shape, i) => plain(normals(i + 1, n * shape[1]!), shape));
  const { out, tape, of, variables } = attend(layout, rows, padded);
  expect(relativeError(out.data, byDefinition(layout, rows, padded))).toBeLessThan(1e-12);

  const weights = normals(9, out.data.length);
  const value = (xs: readonly Plain[]) =>
    attend(layout, xs, padded).out.data.reduce((sum, x, i) => sum + x * weights[i]!, 0);
  const gradients = tape.pullBack(of, plain(weights, out.shape), variables);
  for (const [i, x] of rows.entries()) {
    const along = normals(20 + i, x.data.length);
    const moved = (step: number) =>
      value(rows.with(i, { ...x, data: x.data.map((y, j) => y + step * along[j]!) }));
    const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
    const expected = gradients[i]!.data.reduce((sum, g, j) => sum + g * along[j]!, 0);
    expect(Math.abs(slope - expected)).toBeLessThan(1e-6 * Math.max(1, Math.abs(slope)));
  }
});
