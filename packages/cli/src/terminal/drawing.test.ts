import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import {
  fakeConfig,
  fakeEvaluation,
  fakeRun,
  fakeSamples,
  fakeSummary,
} from '../testing/fake-run.ts';
import { clock, interval, metric, percent, points, short } from './format.ts';
import { oneLine, visibleLines } from './guest.ts';
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
import { colourStyle, plainStyle, wantsColour, wantsLive } from './style.ts';
import { apart, beforeAfterTable, qualityTable } from './table.ts';

/** The state after the first `events` events of the made-up run, one second apart. */
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

  test('never prints a control, format or surrogate character', () => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const line of [oneLine(text), ...visibleLines(text)]) {
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
        }
      }),
    );
  });

  test('ordinary text comes through as it is', () => {
    expect(visibleLines('f(x) = ½·x\n\treturn "é"')).toEqual(['f(x) = ½·x', '  return "é"']);
    expect(oneLine('a\nb')).toBe('a⏎ b');
    expect(oneLine('a\u0007b')).toBe('a\\u{7}b');
  });

  test('a sample full of escapes is drawn without any of them', () => {
    const [record] = fakeSamples(1);
    const evil = '\u001b[2J\u001b[31mok\u202e\rforged';
    const all = { ...record!, attempt: evil, prompt: evil, kind: evil, diagnostics: [evil] };
    const text = sampleLines(all, undefined, 80, plainStyle).join('');
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('forged');
  });
});

describe('numbers', () => {
  test('read as people write them', () => {
    expect([short(2_600_000), short(13_400), short(512)]).toEqual(['2.6 M', '13 k', '512']);
    expect([clock(42), clock(725), clock(3723), clock(Number.NaN)]).toEqual([
      '0:42',
      '12:05',
      '1:02:03',
      '–',
    ]);
    expect([metric(0.41666), metric(12.345), metric(3.2e-5), metric(undefined)]).toEqual([
      '0.417',
      '12.3',
      '3.2e-5',
      '–',
    ]);
    expect([points(0.412, 0.553), points(0.5, 0.497)]).toEqual(['+14.1', '−0.3']);
    expect(interval({ mean: 0.412, low: 0.38, high: 0.445, n: 9 })).toBe('41.2 % [38.0, 44.5]');
    expect(percent(Number.NaN)).toBe('–');
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
  test('the time left is the steps left at the recent pace, plus an evaluation like the first', () => {
    const state = after(14); // start, 3 events of evaluation, 10 steps
    expect(state.step).toBe(10);
    expect(secondsLeft(state, 14_000)).toBeCloseTo(50 + state.evaluationMs / 1000, 6);
    expect(state.evaluationMs).toBe(2000);
  });

  test('a token budget ends a run earlier than its steps', () => {
    const state = after(14);
    const budgeted = { ...state, config: { ...fakeConfig, maxGeneratedTokens: 280_000 } };
    expect(shareDone(state)).toBeCloseTo(1 / 6, 6);
    expect(shareDone(budgeted)).toBeCloseTo(0.5, 6);
    expect(secondsLeft(budgeted, 14_000)).toBeCloseTo(12, 6);
  });

  test('tokens a second come from the counted tokens and the measured step times', () => {
    expect(tokensPerSecond(after(14))).toBeCloseTo(14_000 / 1.5, 6);
    expect(tokensPerSecond(after(40))).toBeCloseTo(14_000 / 1.5, 6);
  });

  test('a metric missing from some steps is averaged over those that had it', () => {
    const state = { ...begin(0), history: [{ a: 1 }, {}, { a: 3 }] };
    expect(recent(state, 'a')).toBe(2);
    expect(recent(state, 'b')).toBeNaN();
  });
});

describe('live area', () => {
  test('no line is ever wider than the terminal', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 22, max: 200 }),
        (n, columns) => {
          for (const line of liveLines(after(n), 100_000, columns, colourStyle)) {
            expect(stringWidth(line)).toBeLessThan(columns);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('shows the step, both streams, rho, fix rate, retention, entropy and pace', () => {
    const text = liveLines(after(34), 40_000, 100, plainStyle).join('\n');
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

  test('shows the evaluation while one is going on', () => {
    expect(liveLines(after(2), 3000, 100, plainStyle).join('')).toContain(
      'evaluating before training  100/400',
    );
  });

  test('leaves the corrections out of a run without them', () => {
    const state = after(34);
    const corrections = { ...fakeConfig.corrections, enabled: false };
    const grpo = { ...state, config: { ...fakeConfig, corrections } };
    expect(liveLines(grpo, 40_000, 100, plainStyle).join('\n')).not.toContain('retention');
  });
});

describe('samples', () => {
  test('the first failed attempt of the kind is shown, whatever became of its correction', () => {
    const samples = [3, 4].flatMap(fakeSamples);
    const chosen = chooseSample(samples, 'arithmetic');
    expect(chosen).toMatchObject({ kind: 'arithmetic', stream: 'correction', passed: false });
    expect(chooseSample([], 'arithmetic')).toBeUndefined();
  });

  test('attempt, verdict, hint, correction and its verdict stand in that order', () => {
    const [base, correction] = fakeSamples(2).filter((it) => it.kind === 'functions');
    const text = sampleLines(correction!, base, 80, plainStyle).join('\n');
    expect(text).toMatch(/task.*attempt.*✗ wrong answer.*hint.*f\(3\) gave 4.*correction.*(✓|✗)/s);
  });

  test('a void verdict is shown as no judgement, never as wrong', () => {
    const { passed: _, ...rest } = fakeSamples(1)[0]!;
    const text = sampleLines({ ...rest, status: 'void' }, undefined, 80, plainStyle).join('\n');
    expect(text).toContain('○ no judgement');
    expect(text).not.toContain('✗');
  });
});

describe('tables', () => {
  test('intervals that do not overlap are marked, others are not', () => {
    const at = (mean: number) => ({ mean, low: mean - 0.05, high: mean + 0.05, n: 10 });
    expect([apart(at(0.4), at(0.51)), apart(at(0.4), at(0.49)), apart(at(0.6), at(0.4))]).toEqual([
      true,
      false,
      true,
    ]);
    const text = beforeAfterTable(fakeEvaluation(0.4), fakeEvaluation(0.5), plainStyle);
    expect(text).toMatch(/pass@1 +40\.0 % \[37\.0, 43\.0\] +50\.0 % \[47\.0, 53\.0\] +\+10\.0 \*/);
    expect(text).toMatch(/retention .*\+0\.0 *$/m);
  });

  test('every measure is given in total and for each kind', () => {
    const text = beforeAfterTable(fakeEvaluation(0.4), fakeEvaluation(0.5), plainStyle);
    expect(text.match(/arithmetic/g)).toHaveLength(4);
    expect(qualityTable(fakeEvaluation(0.4), plainStyle)).toContain('functions');
  });

  test('pass@k is named after the attempts that a task had, and left out of one', () => {
    const withK = (k: number) => qualityTable({ ...fakeEvaluation(0.4), k }, plainStyle);
    expect(withK(4)).toContain('pass@4');
    expect(withK(1).match(/pass@/g)).toHaveLength(1);
  });

  test('the closing words name every file of the run', () => {
    const text = closingLines(fakeSummary(), '/tmp/x', '/tmp/x/report.html', plainStyle).join('\n');
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
  /** All that a whole made-up run writes, `stepMs` apart. */
  function played(stepMs: number, isTTY: boolean): string {
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

  test('without a terminal there are plain lines, not more than one in two seconds', () => {
    const text = played(250, false);
    expect(text).toBe(stripVTControlCharacters(text));
    const lines = text.split('\n').filter((line) => line.startsWith('step '));
    expect(lines.length).toBeLessThanOrEqual(60 / 8 + 2);
    expect(lines.at(-1)).toContain('step 60/60');
  });

  test('samples come about every ten steps and alternate between the kinds', () => {
    const titles = played(250, false).match(/── step \d+ · \w+/g);
    expect(titles?.map((title) => title.replace('── step ', ''))).toEqual([
      '1 · arithmetic',
      '11 · functions',
      '21 · arithmetic',
      '31 · functions',
      '41 · arithmetic',
      '51 · functions',
    ]);
  });

  test('a terminal gets the same lines above a live area', () => {
    const text = stripVTControlCharacters(played(1500, true));
    expect(text).toContain('── step 11 · functions');
    expect(text).toContain('━');
  });

  test('a sample waits a few steps for a failed attempt, but not for ever', () => {
    const canvas = Object.assign(new PassThrough(), { isTTY: false });
    const screen = new Screen(canvas, () => 0);
    for (const event of fakeRun()) {
      if (event.type !== 'step' || event.step === 1) screen.show(event);
      else screen.show({ ...event, samples: event.samples.filter((it) => !it.anchor) });
    }
    const titles = String(canvas.read()).match(/── step \d+/g);
    expect(titles?.slice(0, 3)).toEqual(['── step 1', '── step 16', '── step 31']);
  });

  test('many attempts without a judgement are told once, with the reason of one', () => {
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

  test('a thousand warnings are five and a count', () => {
    const canvas = Object.assign(new PassThrough(), { isTTY: false });
    const screen = new Screen(canvas, () => 0);
    for (let row = 1; row <= 1000; row += 1) {
      screen.show({ type: 'warning', message: `rows.jsonl:${row}: answer is missing` });
    }
    screen.show([...fakeRun()][0]!);
    const text = String(canvas.read());
    expect(text.match(/answer is missing/g)).toHaveLength(5);
    expect(text).toContain('and 995 more like these');
  });

  test('NO_COLOR and a dumb terminal are honoured', () => {
    expect(wantsColour(true, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColour(false, { FORCE_COLOR: '1' })).toBe(true);
    expect(wantsColour(true, {})).toBe(true);
    expect(wantsLive(true, { TERM: 'dumb' })).toBe(false);
  });
});
