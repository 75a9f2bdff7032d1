/** Shows progress in one line: a live bar on terminals, a plain line every ten seconds elsewhere. */
import { createLogUpdate } from 'log-update';
import { formatClock } from './format.ts';
import type { Canvas } from './screen.ts';
import { bar } from './spark.ts';
import { styleOf, wantsLive } from './style.ts';

const PLAIN_EVERY_MS = 10_000;

export class Meter {
  readonly #canvas: Canvas;
  readonly #label: string;
  readonly #startedMs = performance.now();
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  #lastPlainMs = performance.now();

  /** @param label printed before the count, such as `step` in `step 3/10` */
  constructor(canvas: Canvas, label: string) {
    this.#canvas = canvas;
    this.#label = label;
    if (wantsLive(canvas.isTTY === true, process.env)) this.#live = createLogUpdate(canvas);
  }

  /** @param extra printed after the count */
  update(done: number, total: number, extra = ''): void {
    const elapsedMs = performance.now() - this.#startedMs;
    const left =
      done === 0 ? '' : `about ${formatClock(((elapsedMs / done) * (total - done)) / 1000)} left`;
    this.show(done / Math.max(1, total), [`${this.#label} ${done}/${total}`, extra, left]);
  }

  /** @param share from 0 to 1; undefined if the end is not known. @param parts texts beside the bar */
  show(share: number | undefined, parts: readonly string[]): void {
    const text = parts.filter((part) => part !== '').join('  ');
    const line = share === undefined ? text : `${this.#bar(Math.min(1, share))}  ${text}`;
    if (this.#live) this.#live(line);
    else this.#printPlain(text);
  }

  /** Removes the live line. Safe to call twice. */
  close(): void {
    this.#live?.clear();
    this.#live?.done();
  }

  #bar(share: number): string {
    const style = styleOf(this.#canvas);
    const { done, left } = bar(share, 24);
    return style.cyan(done) + style.dim(left);
  }

  #printPlain(line: string): void {
    if (performance.now() - this.#lastPlainMs < PLAIN_EVERY_MS) return;
    this.#lastPlainMs = performance.now();
    this.#canvas.write(`${line}\n`);
  }
}
