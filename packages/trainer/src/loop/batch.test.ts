import { expect, test } from 'vitest';
import { AGGREGATIONS } from '../config.ts';
import { group } from '../testing/groups.ts';
import { toData } from './batch.ts';

const options = {
  aggregation: 'seq-mean-token-mean',
  maxTokens: 8,
  streamWeight: 1,
  keepZeroAdvantages: true,
} as const;
const total = (data: ReturnType<typeof toData>) =>
  data.reduce((n, d) => n + d.weights.reduce((a, b) => a + b, 0), 0);

test('prompt tokens have weight 0 and completion tokens share the weight of the sequence', () => {
  const [d] = toData([group('1')], [[1]], options);
  expect([...d!.tokens]).toEqual([7, 8, 9, 1, 2, 3, 4]);
  expect([...d!.weights]).toEqual([0, 0, 0, 0.25, 0.25, 0.25, 0.25]);
  expect([...d!.advantages!]).toEqual([0, 0, 0, 1, 1, 1, 1]);
  expect([...d!.logprobs!]).toEqual([0, 0, 0, -1, -1, -1, -1]);
});

test('the weights of a stream sum to 1 over its judged sequences', () => {
  const data = toData(
    [group('10?'), group('11')],
    [
      [1, -1, 0],
      [0, 0],
    ],
    options,
  );
  expect(data).toHaveLength(4);
  expect(total(data)).toBeCloseTo(1, 6);
});

test('streamWeight (lambda_c) scales all weights of a stream', () => {
  expect(total(toData([group('10')], [[1, -1]], { ...options, streamWeight: 0.3 }))).toBeCloseTo(
    0.3,
    6,
  );
});

test('leaving out sequences with advantage 0 does not change the weights of the others', () => {
  const all = toData([group('110')], [[1, 0, -1]], options);
  const some = toData([group('110')], [[1, 0, -1]], { ...options, keepZeroAdvantages: false });
  expect(some).toHaveLength(2);
  expect(some[0]).toEqual(all[0]);
});

test('both mean aggregations give sequences of equal length the same weight, and the constant one divides by maxTokens', () => {
  const weights = AGGREGATIONS.map(
    (aggregation) => toData([group('10')], [[1, -1]], { ...options, aggregation })[0]!.weights[3],
  );
  expect(weights).toEqual([0.125, 0.125, 0.0625]);
});
