/** A single line of progress for work with a known end: a bar on terminals, a line every ten seconds elsewhere. */
import { createLogUpdate } from 'log-update';
import { clock } from './format.ts';
import type { Canvas } from './screen.ts';
import { bar } from './spark.ts';
import { styleOf, wantsLive } from './style.ts';

const PLAIN_EVERY_MS = 10_000;

export class Meter {
  readonly #canvas: Canvas;
  readonly #what: string;
  readonly #startedMs = performance.now();
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  #lastPlainMs = performance.now();

  constructor(canvas: Canvas, what: string) {
    this.#canvas = canvas;
    this.#what = what;
    if (wantsLive(canvas.isTTY === true, process.env)) this.#live = createLogUpdate(canvas);
  }

  /** `extra` is shown behind the count. */
  update(done: number, total: number, extra = ''): void {
    const elapsedMs = performance.now() - this.#startedMs;
    const left =
      done === 0 ? '' : `about ${clock(((elapsedMs / done) * (total - done)) / 1000)} left`;
    this.show(done / Math.max(1, total), [`${this.#what} ${done}/${total}`, extra, left]);
  }

  /** A share from 0 to 1, absent where the end is not known, and what to say beside it. */
  show(share: number | undefined, parts: readonly string[]): void {
    const words = parts.filter((part) => part !== '').join('  ');
    const line = share === undefined ? words : `${this.#bar(Math.min(1, share))}  ${words}`;
    if (this.#live) this.#live(line);
    else this.#plain(words);
  }

  /** Takes the live line away. Safe to call twice. */
  close(): void {
    this.#live?.clear();
    this.#live?.done();
  }

  #bar(share: number): string {
    const style = styleOf(this.#canvas);
    const { done, left } = bar(share, 24);
    return style.cyan(done) + style.dim(left);
  }

  #plain(line: string): void {
    if (performance.now() - this.#lastPlainMs < PLAIN_EVERY_MS) return;
    this.#lastPlainMs = performance.now();
    this.#canvas.write(`${line}\n`);
  }
}
