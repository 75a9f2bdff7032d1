import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trainConfig } from '../config.ts';
import { createRng } from '../rng.ts';
import { group } from '../testing/groups.ts';
import { selectAnchors } from './anchors.ts';
import { correctionRequest, withoutReasoning } from './prompt.ts';
import { nextReplay, startReplay } from './replay.ts';

const options = trainConfig.parse({}).corrections;
const batch = (marks: readonly string[]) => marks.map((m, i) => group(m, `${i} ${m}`));

describe('anchors', () => {
  test('a share rho of the anchors is correct, the rest is incorrect', () => {
    const anchors = selectAnchors(batch(Array(10).fill('10101010')), 0.3, options, createRng('a'));
    expect(anchors).toHaveLength(10);
    expect(anchors.filter((a) => a.passed)).toHaveLength(3);
  });

  test('no prompt has more anchors than anchorsPerPrompt', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[01]{8}$/), { minLength: 1, maxLength: 12 }),
        fc.integer(),
        (marks, seed) => {
          const anchors = selectAnchors(batch(marks), 0.5, options, createRng(seed));
          const counts = Map.groupBy(anchors, (a) => a.group);
          expect(Math.max(0, ...[...counts.values()].map((c) => c.length))).toBeLessThanOrEqual(2);
          expect(anchors.length).toBeLessThanOrEqual(marks.length);
          expect(new Set(anchors.map((a) => a.rollout)).size).toBe(anchors.length);
        },
      ),
    );
  });

  test('attempts at prompts with a preferred pass rate are selected first', () => {
    const groups = batch([...Array(8).fill('00000000'), ...Array(8).fill('11110000')]);
    const anchors = selectAnchors(groups, 0, { ...options, anchorRatio: 0.5 }, createRng('b'));
    expect(anchors.every((a) => a.group.item.task.id.endsWith('11110000'))).toBe(true);
  });

  test('empty, truncated and void attempts are never anchors', () => {
    expect(selectAnchors(batch(['-_?-_?', '??--__']), 0.5, options, createRng('c'))).toEqual([]);
  });

  test('with too few incorrect attempts there are fewer anchors, and the share rho stays the same', () => {
    const groups = batch(['00', ...Array(19).fill('11')]);
    const anchors = selectAnchors(groups, 0.5, options, createRng('d'));
    expect(anchors.map((a) => a.passed)).toEqual([true, true, false, false]);
    expect(selectAnchors(batch(Array(8).fill('11')), 0.5, options, createRng('d'))).toEqual([]);
  });

  test('fillWithCorrect replaces missing incorrect anchors by correct ones', () => {
    const groups = batch(['00', ...Array(19).fill('11')]);
    const anchors = selectAnchors(
      groups,
      0.5,
      { ...options, fillWithCorrect: true, anchorsPerPrompt: 0 },
      createRng('d'),
    );
    expect(anchors).toHaveLength(20);
  });

  test('the same seed selects the same anchors', () => {
    const groups = batch(['1010', '0110', '0001', '1111']);
    expect(selectAnchors(groups, 0.4, options, createRng(5))).toEqual(
      selectAnchors(groups, 0.4, options, createRng(5)),
    );
  });
});

describe('adaptive replay', () => {
  const { replay } = options;

  test('nextReplay equals the formula computed by hand', () => {
    // 0.3 * (1 + 0.8 * (0.8 - 0.5) + 0.3 * 0.2 + 0.05 * 2)
    const next = nextReplay({ rho: 0.3, retention: 0.7, below: 1 }, 0.5, replay);
    expect(next.rho).toBeCloseTo(0.3 * (1 + 0.24 + 0.06 + 0.1), 10);
    expect(next).toMatchObject({ retention: 0.5, below: 2 });
  });

  test('a step without correct anchors leaves the replay state unchanged', () => {
    const state = { rho: 0.42, retention: 0.5, below: 3 };
    expect(nextReplay(state, undefined, replay)).toBe(state);
  });

  test('rho falls if retention is above the target, rises if it is below, and stays within its bounds', () => {
    expect(nextReplay(startReplay(0.5), 1, replay).rho).toBeLessThan(0.5);
    expect(nextReplay(startReplay(0.5), 0.2, replay).rho).toBeGreaterThan(0.5);
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 50 }),
        (retentions) => {
          const end = retentions.reduce(
            (state, r) => nextReplay(state, r, replay),
            startReplay(0.3),
          );
          expect(end.rho).toBeGreaterThanOrEqual(0.2);
          expect(end.rho).toBeLessThanOrEqual(0.8);
        },
      ),
    );
  });

  test('the count of steps below the target restarts when retention reaches it', () => {
    const down = [0.5, 0.5, 0.5].reduce((s, r) => nextReplay(s, r, replay), startReplay(0.3));
    expect(down.below).toBe(3);
    expect(nextReplay(down, 0.9, replay).below).toBe(0);
  });
});

describe('the correction prompt', () => {
  const anchors = (passed: boolean) =>
    selectAnchors(
      batch(Array(400).fill(passed ? '11' : '00')),
      passed ? 1 : 0,
      { ...options, fillWithCorrect: true },
      createRng('p'),
    );

  test('an incorrect attempt is shown with diagnostics at the given probability, a correct one never', () => {
    const rate = (passed: boolean, r: number) => {
      const rng = createRng('rate');
      const requests = anchors(passed).map((a) => correctionRequest(a, r, rng));
      return requests.filter((a) => a.diagnosticsShown!.length > 0).length / requests.length;
    };
    expect(rate(false, 0)).toBe(0);
    expect(rate(false, 1)).toBe(1);
    expect(rate(false, 0.5)).toBeCloseTo(0.5, 1);
    expect(rate(true, 1)).toBe(0);
  });

  test('diagnostics for the operator are never in a correction prompt', () => {
    const request = correctionRequest(anchors(false)[0]!, 1, createRng('q'));
    const text = request.messages.map((m) => m.content).join('\n');
    expect(text).toContain('seen by the policy');
    expect(text).not.toContain('hidden');
  });

  test('reasoning inside think tags is not in the shown attempt', () => {
    expect(withoutReasoning('<think>a\nb</think> c')).toBe('c');
    expect(withoutReasoning('a</think><think>b</think>c')).toBe('c');
    expect(withoutReasoning('plain ')).toBe('plain ');
  });
});
