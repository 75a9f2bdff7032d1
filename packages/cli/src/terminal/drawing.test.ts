import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { TrainEvent } from '@cipo/trainer';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import {
  FAKE_CONFIG,
  fakeEvaluation,
  fakeRun,
  fakeSamples,
  fakeSummary,
} from '../testing/fake-run.ts';
import {
  formatClock,
  formatInterval,
  formatMetric,
  formatPercent,
  formatPoints,
  formatShort,
} from './format.ts';
import { clipText, oneLine, visibleLines } from './guest.ts';
import { closingLines } from './lines.ts';
import { liveLines } from './live.ts';
import {
  advance,
  begin,
  type Progress,
  recent,
  secondsLeft,
  shareDone,
  tokensPerSecond,
} from './progress.ts';
import { chooseSample, sampleLines } from './sample.ts';
import { Screen } from './screen.ts';
import { sparkline } from './spark.ts';
import { COLOR_STYLE, PLAIN_STYLE, wantsColor, wantsLive } from './style.ts';
import { areApart, beforeAfterTable, qualityTable } from './table.ts';

/** The state after the first `events` events of the fake run, one second apart. */
function after(events: number): Progress {
  let [state, nowMs] = [begin(0), 0];
  for (const event of [...fakeRun()].slice(0, events)) {
    nowMs += 1000;
    state = advance(state, event, nowMs);
  }
  return state;
}

describe('guest text', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '\u001b[2J',
      '\u001b]0;title\u0007',
      '\r\u001b[31mfake',
      '\u202e',
      '\u200b',
      '\ud800',
    ),
  );
  const texts = fc.array(hostile, { maxLength: 8 }).map((parts) => parts.join(''));

  test('guest text never prints a control, format or surrogate character', () => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const line of [oneLine(text), ...visibleLines(text)]) {
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
        }
      }),
    );
  });

  test('ordinary guest text is printed unchanged', () => {
    expect(visibleLines('f(x) = ½·x\n\treturn "é"')).toEqual(['f(x) = ½·x', '  return "é"']);
    expect(oneLine('a\nb')).toBe('a⏎ b');
    expect(oneLine('a\u0007b')).toBe('a\\u{7}b');
  });

  test('a message of a megabyte is cut to a screen, in lines and in length', () => {
    const wide = clipText('a'.repeat(1e6));
    expect(wide.length).toBeLessThan(1_100);
    const long = clipText('line\n'.repeat(1e5)).split('\n');
    expect(long.length).toBeLessThan(50);
    expect(long.at(-1)).toMatch(/… \d+ more lines/);
    expect(clipText('short\nmessage')).toBe('short\nmessage');
    expect(clipText('\u001b[2Jred')).toBe('red');
  });

  test('a sample full of terminal escapes is drawn without any of them', () => {
    const [record] = fakeSamples(1);
    const evil = '\u001b[2J\u001b[31mok\u202e\rforged';
    const all = { ...record!, attempt: evil, prompt: evil, kind: evil, diagnostics: [evil] };
    const text = sampleLines(all, undefined, 80, PLAIN_STYLE).join('');
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('forged');
  });
});

describe('numbers', () => {
  test('counts, durations, metrics and intervals have a readable form', () => {
    expect([formatShort(2_600_000), formatShort(13_400), formatShort(512)]).toEqual([
      '2.6 M',
      '13 k',
      '512',
    ]);
    expect([formatClock(42), formatClock(725), formatClock(3723), formatClock(Number.NaN)]).toEqual(
      ['0:42', '12:05', '1:02:03', '–'],
    );
    expect([
      formatMetric(0.41666),
      formatMetric(12.345),
      formatMetric(3.2e-5),
      formatMetric(undefined),
    ]).toEqual(['0.417', '12.3', '3.2e-5', '–']);
    expect([formatPoints(0.412, 0.553), formatPoints(0.5, 0.497)]).toEqual(['+14.1', '−0.3']);
    expect(formatInterval({ mean: 0.412, low: 0.38, high: 0.445, n: 9 })).toBe(
      '41.2 % [38.0, 44.5]',
    );
    expect(formatPercent(Number.NaN)).toBe('–');
  });

  test('a sparkline rises where the series rises and never exceeds its width', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([1, 1, 1], 8)).toBe('▄▄▄');
    expect(sparkline([Number.NaN], 8)).toBe('');
    fc.assert(
      fc.property(fc.array(fc.double()), fc.integer({ min: 0, max: 40 }), (series, width) => {
        expect(sparkline(series, width).length).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('progress', () => {
  test('the time left is the remaining steps at the recent speed plus one evaluation', () => {
    const state = after(14); // start, 3 events of evaluation, 10 steps
    expect(state.step).toBe(10);
    expect(secondsLeft(state, 14_000)).toBeCloseTo(50 + state.evaluationMs / 1000, 6);
    expect(state.evaluationMs).toBe(2000);
  });

  test('a token budget can end a run before its last step', () => {
    const state = after(14);
    const budgeted = { ...state, config: { ...FAKE_CONFIG, maxGeneratedTokens: 280_000 } };
    expect(shareDone(state)).toBeCloseTo(1 / 6, 6);
    expect(shareDone(budgeted)).toBeCloseTo(0.5, 6);
    expect(secondsLeft(budgeted, 14_000)).toBeCloseTo(12, 6);
  });

  test('tokens per second follow from the counted tokens and the step times', () => {
    expect(tokensPerSecond(after(14))).toBeCloseTo(14_000 / 1.5, 6);
    expect(tokensPerSecond(after(40))).toBeCloseTo(14_000 / 1.5, 6);
  });

  test('a metric that some steps lack is averaged over the other steps', () => {
    const state = { ...begin(0), history: [{ a: 1 }, {}, { a: 3 }] };
    expect(recent(state, 'a')).toBe(2);
    expect(recent(state, 'b')).toBeNaN();
  });
});

describe('live area', () => {
  test('no line of the live area is wider than the terminal', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 22, max: 200 }),
        (n, columns) => {
          for (const line of liveLines(after(n), 100_000, columns, COLOR_STYLE)) {
            expect(stringWidth(line)).toBeLessThan(columns);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the live area shows the step, both streams, rho, fix rate, retention, entropy and speed', () => {
    const text = liveLines(after(34), 40_000, 100, PLAIN_STYLE).join('\n');
    for (const word of [
      'step 30/60',
      'reward',
      'corrections',
      'fix rate',
      'retention',
      'rho',
      'entropy',
      'tokens/s',
      'left',
    ])
      expect(text).toContain(word);
  });

  test('the live area explains fix rate, retention and rho, in one line if it fits', () => {
    const legend = /fix rate: .*retention: .*rho: target share of correct anchors/;
    expect(liveLines(after(34), 40_000, 130, PLAIN_STYLE).join('\n')).toMatch(legend);
    const narrow = liveLines(after(34), 40_000, 80, PLAIN_STYLE);
    expect(narrow.at(-1)).toBe('rho: target share of correct anchors');
  });

  test('the live area shows a running evaluation', () => {
    expect(liveLines(after(2), 3000, 100, PLAIN_STYLE).join('')).toContain(
      'evaluating before training  100/400 tasks',
    );
  });

  test('the live area of a run without corrections does not mention them', () => {
    const state = after(34);
    const corrections = { ...FAKE_CONFIG.corrections, enabled: false };
    const grpo = { ...state, config: { ...FAKE_CONFIG, corrections } };
    expect(liveLines(grpo, 40_000, 100, PLAIN_STYLE).join('\n')).not.toContain('retention');
  });
});

describe('samples', () => {
  test('the sample of a step is the first incorrect attempt of its kind, whatever its correction', () => {
    const samples = [3, 4].flatMap(fakeSamples);
    const chosen = chooseSample(samples, 'arithmetic');
    expect(chosen).toMatchObject({ kind: 'arithmetic', stream: 'correction', passed: false });
    expect(chooseSample([], 'arithmetic')).toBeUndefined();
  });

  test('a sample shows attempt, verdict, diagnostics, correction and its verdict in that order', () => {
    const [base, correction] = fakeSamples(2).filter((it) => it.kind === 'functions');
    const text = sampleLines(correction!, base, 80, PLAIN_STYLE).join('\n');
    expect(text).toMatch(
      /task.*attempt.*✗ wrong answer.*diagnostics.*f\(3\) gave 4.*correction.*(✓|✗)/s,
    );
  });

  test('a void verdict is shown as no judgement, never as incorrect', () => {
    const { passed: _, ...rest } = fakeSamples(1)[0]!;
    const text = sampleLines({ ...rest, status: 'void' }, undefined, 80, PLAIN_STYLE).join('\n');
    expect(text).toContain('○ no judgement');
    expect(text).not.toContain('✗');
  });
});

describe('tables', () => {
  test('a change is marked if its intervals do not overlap', () => {
    const at = (mean: number) => ({ mean, low: mean - 0.05, high: mean + 0.05, n: 10 });
    expect([
      areApart(at(0.4), at(0.51)),
      areApart(at(0.4), at(0.49)),
      areApart(at(0.6), at(0.4)),
    ]).toEqual([true, false, true]);
    const text = beforeAfterTable(fakeEvaluation(0.4), fakeEvaluation(0.5), PLAIN_STYLE);
    expect(text).toMatch(/pass@1 +40\.0 % \[37\.0, 43\.0\] +50\.0 % \[47\.0, 53\.0\] +\+10\.0 \*/);
    expect(text).toMatch(/retention .*\+0\.0 *$/m);
  });

  test('a table has every measure in total and for each kind', () => {
    const text = beforeAfterTable(fakeEvaluation(0.4), fakeEvaluation(0.5), PLAIN_STYLE);
    expect(text.match(/arithmetic/g)).toHaveLength(4);
    expect(qualityTable(fakeEvaluation(0.4), PLAIN_STYLE)).toContain('functions');
  });

  test('pass@k is named after k and omitted for k = 1', () => {
    const withK = (k: number) => qualityTable({ ...fakeEvaluation(0.4), k }, PLAIN_STYLE);
    expect(withK(4)).toContain('pass@4');
    expect(withK(1).match(/pass@/g)).toHaveLength(1);
  });

  test('the closing lines name every file of the run', () => {
    const text = closingLines(fakeSummary(), '/tmp/x', '/tmp/x/report.html', PLAIN_STYLE).join(
      '\n',
    );
    for (const name of [
      'report.html',
      'summary.json',
      'metrics.jsonl',
      'samples.jsonl',
      'checkpoints/',
    ])
      expect(text).toContain(name);
  });
});

describe('screen', () => {
  /** Everything that the fake run writes, with `stepMs` between events. */
  function drawRun(stepMs: number, isTTY: boolean): string {
    const canvas = Object.assign(new PassThrough(), { isTTY, columns: 100, rows: 40 });
    let nowMs = 0;
    const screen = new Screen(canvas, () => nowMs);
    for (const event of fakeRun()) {
      screen.show(event);
      nowMs += stepMs;
    }
    screen.close();
    return String(canvas.read());
  }

  test('the memory of a run is printed below its header, or at the end if the run does not start', () => {
    const [start] = fakeRun();
    const none = { mergedWeights: 0, reference: 0, gradients: 0, optimizer: 0, activations: 0 };
    const rest = { logits: 0, caches: 0, process: 0 };
    const estimate = { weights: 2 ** 30, ...none, ...rest, total: 2 ** 30 };
    const memory: TrainEvent = { type: 'memory', estimate, budget: 2 ** 31 };
    const draw = (events: readonly TrainEvent[]) => {
      const canvas = Object.assign(new PassThrough(), { isTTY: false });
      const screen = new Screen(canvas, () => 0);
      for (const event of events) screen.show(event);
      screen.close();
      return String(canvas.read());
    };
    expect(draw([memory, start!])).toMatch(/^cipo · preset.*memory +about 1\.00 of 2\.00 GiB/s);
    expect(draw([memory])).toMatch(/^ +memory +about 1\.00 of 2\.00 GiB: weights 1\.00\n$/);
  });

  test('without a terminal there is at most one plain line in two seconds', () => {
    const text = drawRun(250, false);
    expect(text).toBe(stripVTControlCharacters(text));
    const lines = text.split('\n').filter((line) => line.startsWith('step '));
    expect(lines.length).toBeLessThanOrEqual(60 / 8 + 2);
    expect(lines.at(-1)).toContain('step 60/60');
  });

  test('samples are printed about every ten steps and alternate between the kinds', () => {
    const titles = drawRun(250, false).match(/── step \d+ · \w+/g);
    expect(titles?.map((title) => title.replace('── step ', ''))).toEqual([
      '1 · arithmetic',
      '11 · functions',
      '21 · arithmetic',
      '31 · functions',
      '41 · arithmetic',
      '51 · functions',
    ]);
  });

  test('on a terminal the same lines are printed above a live area', () => {
    const text = stripVTControlCharacters(drawRun(1500, true));
    expect(text).toContain('── step 11 · functions');
    expect(text).toContain('━');
  });

  test('a sample waits a few steps for an incorrect attempt, then takes another', () => {
    const canvas = Object.assign(new PassThrough(), { isTTY: false });
    const screen = new Screen(canvas, () => 0);
    for (const event of fakeRun()) {
      if (event.type !== 'step' || event.step === 1) screen.show(event);
      else screen.show({ ...event, samples: event.samples.filter((it) => !it.anchor) });
    }
    const titles = String(canvas.read()).match(/── step \d+/g);
    expect(titles?.slice(0, 3)).toEqual(['── step 1', '── step 16', '── step 31']);
  });

  test('many void verdicts cause one warning with a reason', () => {
    const canvas = Object.assign(new PassThrough(), { isTTY: false });
    const screen = new Screen(canvas, () => 0);
    for (const event of fakeRun()) {
      if (event.type !== 'step') continue;
      const [sample] = event.samples;
      const { passed: _, ...rest } = sample!;
      const voided = { ...rest, status: 'void' as const, diagnostics: ['infra: no\u001b[2J cell'] };
      screen.show({ ...event, metrics: { ...event.metrics, void_rate: 0.5 }, samples: [voided] });
    }
    const text = String(canvas.read());
    expect(text.match(/50\.0 % of the attempts got no judgement/g)).toHaveLength(1);
    expect(text).toContain('infra: no cell');
  });

  test('of a thousand warnings five are printed, and the number of the others', () => {
    const canvas = Object.assign(new PassThrough(), { isTTY: false });
    const screen = new Screen(canvas, () => 0);
    for (let row = 1; row <= 1000; row += 1) {
      screen.show({ type: 'warning', message: `rows.jsonl:${row}: answer is missing` });
    }
    screen.show([...fakeRun()][0]!);
    const text = String(canvas.read());
    expect(text.match(/answer is missing/g)).toHaveLength(5);
    expect(text).toContain('and 995 more warnings');
  });

  test('NO_COLOR, FORCE_COLOR and TERM=dumb are respected', () => {
    expect(wantsColor(true, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColor(false, { FORCE_COLOR: '1' })).toBe(true);
    expect(wantsColor(true, {})).toBe(true);
    expect(wantsLive(true, { TERM: 'dumb' })).toBe(false);
  });
});
