/**
 * Draws the events of a run: a live area on terminals, a plain line every two seconds elsewhere.
 * Holds all state of the drawing; the pure modules of this folder format the text.
 */
import type { SampleRecord, TrainEvent } from '@cipo/trainer';
import { createLogUpdate } from 'log-update';
import { clipLine, oneLine } from './guest.ts';
import {
  evaluatedLine,
  evaluatingLine,
  memoryLine,
  openingLines,
  stepLine,
  voidLines,
} from './lines.ts';
import { liveLines } from './live.ts';
import { advance, begin, type Progress } from './progress.ts';
import { chooseSample, findBase, kindsOf, sampleLines } from './sample.ts';
import { type Style, styleOf, wantsLive } from './style.ts';

/** A stream to draw on, such as `process.stdout`. */
export interface Canvas extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const REPAINT_MS = 500;
const LINE_EVERY_MS = 2_000;
const EVALUATION_LINE_EVERY_MS = 10_000;
const SAMPLE_EVERY_STEPS = 10;
/** How many steps a sample may be late in order to show an incorrect attempt. */
const MAX_STEPS_LATE = 5;
const MAX_WARNINGS = 5;
const MAX_WARNING_CHARS = 1_000;
/** The share of void verdicts that causes a warning. */
const MANY_VOIDS = 0.1;

export class Screen {
  readonly style: Style;
  readonly #canvas: Canvas;
  readonly #now: () => number;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #state: Progress;
  #lastLineMs = Number.NEGATIVE_INFINITY;
  #lastSampleStep = Number.NEGATIVE_INFINITY;
  #samplesShown = 0;
  #hasWarnedOfVoids = false;
  #warnings = 0;
  /** Lines that are printed below the header of the run, or at the end if the run does not start. */
  #pending: readonly string[] = [];

  constructor(canvas: Canvas, now: () => number = Date.now) {
    this.#canvas = canvas;
    this.#now = now;
    this.style = styleOf(canvas);
    this.#state = begin(now());
    if (wantsLive(canvas.isTTY === true, process.env)) {
      this.#live = createLogUpdate(canvas);
      this.#timer = setInterval(() => this.#paint(), REPAINT_MS).unref();
    }
  }

  get progress(): Progress {
    return this.#state;
  }

  /** Draws one event of the run. */
  show(event: TrainEvent): void {
    this.#state = advance(this.#state, event, this.#now());
    const lines = this.#linesFor(event);
    if (lines.length > 0) this.print(lines);
    else this.#paint();
  }

  /** Prints lines above the live area, where they stay. */
  print(lines: readonly string[]): void {
    this.#live?.clear();
    this.#canvas.write(`${lines.join('\n')}\n`);
    this.#paint();
  }

  /** Removes the live area; printed lines stay. */
  close(): void {
    clearInterval(this.#timer);
    this.#live?.clear();
    this.#live?.done();
    const lines = this.#takePending();
    if (lines.length > 0) this.#canvas.write(`${lines.join('\n')}\n`);
  }

  #takePending(): readonly string[] {
    const lines = this.#pending;
    this.#pending = [];
    return lines;
  }

  #paint(): void {
    if (!this.#live) return;
    const columns = this.#canvas.columns ?? 80;
    this.#live(liveLines(this.#state, this.#now(), columns, this.style).join('\n'));
  }

  #linesFor(event: TrainEvent): string[] {
    switch (event.type) {
      case 'memory':
        this.#pending = [memoryLine(event, this.style)];
        return [];
      case 'start':
        return [
          ...this.#hiddenWarnings(),
          ...openingLines(event, this.style),
          ...this.#takePending(),
        ];
      case 'evaluated':
        return [evaluatedLine(event, this.style)];
      case 'warning':
        return this.#warningLines(event.message);
      case 'evaluating':
        return this.#isDue(EVALUATION_LINE_EVERY_MS) ? [evaluatingLine(event)] : [];
      case 'step':
        return [
          ...this.#voidWarning(event),
          ...this.#stepLines(event),
          ...this.#sampleLines(event.step, event.samples),
        ];
      default:
        return [];
    }
  }

  #stepLines(event: Extract<TrainEvent, { type: 'step' }>): string[] {
    const isLast = event.step === event.steps;
    return this.#isDue(isLast ? 0 : LINE_EVERY_MS) ? [stepLine(this.#state, this.#now())] : [];
  }

  /** Only the first warnings are printed: a file of unreadable rows would hide everything else. */
  #warningLines(message: string): string[] {
    this.#warnings += 1;
    if (this.#warnings > MAX_WARNINGS) return [];
    return [this.style.yellow(`! ${clipLine(oneLine(message), MAX_WARNING_CHARS)}`)];
  }

  #hiddenWarnings(): string[] {
    const more = this.#warnings - MAX_WARNINGS;
    return more > 0 ? [this.style.yellow(`! and ${more} more warnings`)] : [];
  }

  /** Many void verdicts mean that a judge is broken: one warning, with a reason. */
  #voidWarning({ metrics, samples }: Extract<TrainEvent, { type: 'step' }>): string[] {
    const share = metrics.void_rate ?? 0;
    if (this.#hasWarnedOfVoids || share < MANY_VOIDS) return [];
    this.#hasWarnedOfVoids = true;
    const reason = samples.find((sample) => sample.passed === undefined)?.diagnostics[0];
    return voidLines(share, reason, this.style);
  }

  /** Whether a plain line may be printed. The live area replaces them. */
  #isDue(everyMs: number): boolean {
    const nowMs = this.#now();
    if (this.#live || nowMs - this.#lastLineMs < everyMs) return false;
    this.#lastLineMs = nowMs;
    return true;
  }

  #sampleLines(step: number, samples: readonly SampleRecord[]): string[] {
    if (samples.length === 0 || step - this.#lastSampleStep < SAMPLE_EVERY_STEPS) return [];
    const kinds = kindsOf(samples).sort();
    const sample = chooseSample(samples, kinds[this.#samplesShown % kinds.length]);
    if (!sample) return [];
    // The correction of an incorrect attempt shows more than a repeated correct one: wait a few steps for one.
    const lateSteps = step - this.#lastSampleStep - SAMPLE_EVERY_STEPS;
    const isWaiting = this.#state.config?.corrections.enabled && sample.anchor?.passed !== false;
    if (isWaiting && lateSteps < MAX_STEPS_LATE) return [];
    this.#lastSampleStep = step;
    this.#samplesShown += 1;
    const base = findBase(sample, samples);
    const lines = sampleLines(sample, base, this.#canvas.columns ?? 100, this.style);
    return this.#live ? lines : [...lines, ''];
  }
}
