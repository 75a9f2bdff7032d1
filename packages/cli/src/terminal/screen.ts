/**
 * Draws the events of a run: a live area on terminals, a line every two seconds elsewhere.
 * The only part of the drawing that holds state; what it writes comes from the pure files beside it.
 */
import type { SampleRecord, TrainEvent } from '@cipo/trainer';
import { createLogUpdate } from 'log-update';
import { oneLine } from './guest.ts';
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
import { baseOf, chooseSample, kindsOf, sampleLines } from './sample.ts';
import { type Style, styleOf, wantsLive } from './style.ts';

/** A stream to draw on; `process.stdout` is one. */
export interface Canvas extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const REPAINT_MS = 500;
const LINE_EVERY_MS = 2_000;
const EVALUATION_LINE_EVERY_MS = 10_000;
const SAMPLE_EVERY_STEPS = 10;
/** How much later than due a sample may come for the sake of a failed attempt. */
const MOST_STEPS_WAITED = 5;
const MOST_WARNINGS = 5;
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
  #voidsTold = false;
  #warnings = 0;

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

  /** Takes one event of the run. */
  show(event: TrainEvent): void {
    this.#state = advance(this.#state, event, this.#now());
    const lines = this.#news(event);
    if (lines.length > 0) this.print(lines);
    else this.#paint();
  }

  /** Lines that stay, above the live area. */
  print(lines: readonly string[]): void {
    this.#live?.clear();
    this.#canvas.write(`${lines.join('\n')}\n`);
    this.#paint();
  }

  /** Takes the live area away; what was printed stays. */
  close(): void {
    clearInterval(this.#timer);
    this.#live?.clear();
    this.#live?.done();
  }

  #paint(): void {
    if (!this.#live) return;
    const columns = this.#canvas.columns ?? 80;
    this.#live(liveLines(this.#state, this.#now(), columns, this.style).join('\n'));
  }

  #news(event: TrainEvent): string[] {
    switch (event.type) {
      case 'memory':
        return [memoryLine(event, this.style)];
      case 'start':
        return [...this.#moreWarnings(), ...openingLines(event, this.style)];
      case 'evaluated':
        return [evaluatedLine(event, this.style)];
      case 'warning':
        return this.#warning(event.message);
      case 'evaluating':
        return this.#due(EVALUATION_LINE_EVERY_MS) ? [evaluatingLine(event)] : [];
      case 'step':
        return [
          ...this.#voidNews(event),
          ...this.#stepNews(event),
          ...this.#sampleNews(event.step, event.samples),
        ];
      default:
        return [];
    }
  }

  #stepNews(event: Extract<TrainEvent, { type: 'step' }>): string[] {
    const last = event.step === event.steps;
    return this.#due(last ? 0 : LINE_EVERY_MS) ? [stepLine(this.#state, this.#now())] : [];
  }

  /** A file of unreadable rows must not scroll everything else away. */
  #warning(message: string): string[] {
    this.#warnings += 1;
    if (this.#warnings > MOST_WARNINGS) return [];
    return [this.style.yellow(`! ${oneLine(message)}`)];
  }

  #moreWarnings(): string[] {
    const more = this.#warnings - MOST_WARNINGS;
    return more > 0 ? [this.style.yellow(`! and ${more} more like these`)] : [];
  }

  /** Many attempts without a judgement mean that something here is broken: told once, with its reason. */
  #voidNews({ metrics, samples }: Extract<TrainEvent, { type: 'step' }>): string[] {
    const share = metrics.void_rate ?? 0;
    if (this.#voidsTold || share < MANY_VOIDS) return [];
    this.#voidsTold = true;
    const reason = samples.find((sample) => sample.passed === undefined)?.diagnostics[0];
    return voidLines(share, reason, this.style);
  }

  /** Plain lines are rationed; the live area needs none. */
  #due(everyMs: number): boolean {
    const nowMs = this.#now();
    if (this.#live || nowMs - this.#lastLineMs < everyMs) return false;
    this.#lastLineMs = nowMs;
    return true;
  }

  #sampleNews(step: number, samples: readonly SampleRecord[]): string[] {
    if (samples.length === 0 || step - this.#lastSampleStep < SAMPLE_EVERY_STEPS) return [];
    const kinds = kindsOf(samples).sort();
    const sample = chooseSample(samples, kinds[this.#samplesShown % kinds.length]);
    if (!sample) return [];
    // A mended or spoiled failure tells more than a right attempt repeated: wait a little for one.
    const waited = step - this.#lastSampleStep - SAMPLE_EVERY_STEPS;
    const dull = this.#state.config?.corrections.enabled && sample.anchor?.passed !== false;
    if (dull && waited < MOST_STEPS_WAITED) return [];
    this.#lastSampleStep = step;
    this.#samplesShown += 1;
    const base = baseOf(sample, samples);
    const lines = sampleLines(sample, base, this.#canvas.columns ?? 100, this.style);
    return this.#live ? lines : [...lines, ''];
  }
}
