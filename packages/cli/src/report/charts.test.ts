/** Runs assets/report/charts.js with stubs for the few browser functions that it uses, and looks at what it draws. */
import { readFile } from 'node:fs/promises';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';

interface Drawn {
  readonly title: string;
  readonly axes: readonly string[];
  readonly series: readonly string[];
  readonly data: readonly (readonly (number | null)[])[];
}

class FakeElement {
  textContent = '';
  hidden = false;
  readonly children: (FakeElement | string)[] = [];
  append(...nodes: (FakeElement | string)[]): void {
    this.children.push(...nodes);
  }
  addEventListener(): void {}
  get text(): string {
    const inner = this.children.map((node) => (typeof node === 'string' ? node : node.text));
    return this.textContent + inner.join('');
  }
}

/** The charts that the page shows at once, for these columns of metrics. */
async function draw(metrics: Record<string, (number | null)[]>) {
  const charts: Drawn[] = [];
  const elements = new Map<string, FakeElement>();
  const getElementById = (id: string) => {
    const element = elements.get(id) ?? new FakeElement();
    if (id === 'data') element.textContent = JSON.stringify({ metrics });
    elements.set(id, element);
    return element;
  };
  class FakePlot {
    constructor(
      options: { axes: { label: string }[]; series: { label: string }[] },
      data: Drawn['data'],
      box: FakeElement,
    ) {
      const labels = (parts: readonly { label: string }[]) => parts.map(({ label }) => label);
      const series = labels(options.series).filter((label) => label !== '');
      charts.push({ title: box.text, axes: labels(options.axes), series, data });
    }
    setLegend(): void {}
  }
  const script = await readFile(new URL('../../assets/report/charts.js', import.meta.url), 'utf8');
  runInNewContext(script, {
    document: { getElementById, createElement: () => new FakeElement() },
    uPlot: FakePlot,
    ResizeObserver: class {
      observe(): void {}
    },
    matchMedia: () => new FakeElement(),
  });
  return { charts, note: elements.get('curves-note')?.text ?? '' };
}

test('a metric that is zero throughout is drawn', async () => {
  const { charts } = await draw({ step: [1, 2], reward: [0, 0], grad_norm: [0, 0] });
  expect(charts.map(({ title }) => title)).toEqual([
    'Rewardmean of each stream',
    'Gradient normbefore clipping',
  ]);
  expect(charts[0]?.data).toEqual([
    [1, 2],
    [0, 0],
    [0, 0],
  ]);
});

test('every chart has axis titles with units, and series named after their metrics', async () => {
  const { charts } = await draw({
    step: [1],
    entropy: [0.5],
    'correction/fix_rate': [0.1],
    'correction/retention': [0.9],
  });
  expect(charts.map(({ axes, series }) => [axes, series])).toEqual([
    [
      ['step', 'share of corrections'],
      ['step', 'fix rate', 'retention'],
    ],
    [
      ['step', 'nats per token'],
      ['step', 'entropy'],
    ],
  ]);
});

test('the page names the window of the moving average', async () => {
  const long = Array.from({ length: 100 }, (_, i) => i);
  expect((await draw({ step: long, reward: long })).note).toBe(' The window is 11 steps.');
  expect((await draw({ step: [1], reward: [1] })).note).toBe('');
});
