/**
 * Curves of the report. Runs in the reader's browser after uPlot; a script of its own, without imports.
 * Reads the embedded data, writes only numbers and our own words into the page.
 */
// @ts-check
(() => {
  /** @typedef {{ name: string, label: string, colour: string }} Line */
  /** @typedef {{ title: string, note: string, lines: Line[], share?: boolean }} Chart */

  /** @type {Chart[]} */
  const CHARTS = [
    {
      title: 'Reward',
      note: 'mean of both streams',
      share: true,
      lines: [
        { name: 'reward', label: 'attempts', colour: '--blue' },
        { name: 'correction/reward', label: 'corrections', colour: '--orange' },
      ],
    },
    {
      title: 'Fix rate and retention',
      note: 'P(right | wrong anchor), P(right | right anchor)',
      share: true,
      lines: [
        { name: 'correction/fix_rate', label: 'fix rate', colour: '--blue' },
        { name: 'correction/retention', label: 'retention', colour: '--green' },
      ],
    },
    one('Rho', 'share of right anchors that is aimed at', 'correction/rho', '--violet'),
    one('Entropy', 'nats a token', 'entropy', '--blue'),
    one('KL', 'k3 to the starting policy, nats a token', 'kl', '--violet'),
    one('Gradient norm', 'before clipping', 'grad_norm', '--orange'),
    one('Completion length', 'tokens', 'completions/mean_length', '--green'),
    one('Groups without signal', 'all right or all wrong', 'frac_reward_zero_std', '--orange'),
    one('Copy rate', 'corrections that change nothing', 'correction/copy_rate', '--green'),
  ];

  /** @type {(title: string, note: string, name: string, colour: string) => Chart} */
  function one(title, note, name, colour) {
    return { title, note, lines: [{ name, label: 'value', colour }] };
  }

  const HEIGHT = 190;
  /** Distances between marks of the step axis. */
  const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5];
  /** Shorter runs are shown as they are. */
  const LEAST_SMOOTHED = 15;
  /** @type {Record<string, (number | null)[]>} */
  const metrics = JSON.parse(document.getElementById('data')?.textContent ?? '{}').metrics ?? {};
  const length = Math.max(0, ...Object.values(metrics).map((column) => column.length));
  const steps = (metrics.step ?? Array.from({ length }, (_, i) => i + 1)).map(
    (step, i) => step ?? i + 1,
  );

  /** @type {(name: string) => string} */
  function colourOf(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  /** Centred mean over a window of a tenth of the run, at least 5 steps; gaps are skipped. */
  /** @type {(column: (number | null)[]) => (number | null)[]} */
  function smooth(column) {
    if (column.length < LEAST_SMOOTHED) return column;
    const half = Math.max(2, Math.round(column.length / 20));
    return column.map((_, i) => {
      const near = column
        .slice(Math.max(0, i - half), i + half + 1)
        .filter((value) => value !== null);
      return near.length === 0 ? null : near.reduce((sum, value) => sum + value, 0) / near.length;
    });
  }

  /** @type {(value: number | null | undefined) => string} */
  function show(value) {
    if (value === null || value === undefined) return '–';
    const size = Math.abs(value);
    if (size !== 0 && size < 1e-3) return value.toExponential(1);
    return size >= 1000 ? Math.round(value).toLocaleString('en-US') : String(+value.toPrecision(3));
  }

  /** @type {(lines: Line[]) => uPlot.Series[]} */
  function seriesOf(lines) {
    return lines.flatMap(({ label, colour }) => {
      const stroke = () => colourOf(colour);
      const points = { show: length < 3 };
      /** @type {uPlot.Series} */
      const faint = { stroke: () => `${colourOf(colour)}55`, width: 1, points };
      /** @type {uPlot.Series} */
      const strong = { label, stroke, width: 2, points, value: (_, value) => show(value) };
      return [{ ...faint, label: '', class: 'faint' }, strong];
    });
  }

  /** @type {() => uPlot.Axis} */
  function axis() {
    return {
      stroke: () => colourOf('--faint'),
      grid: { stroke: () => colourOf('--line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
    };
  }

  /** @type {(chart: Chart, width: number) => uPlot.Options} */
  function options(chart, width) {
    return {
      width,
      height: HEIGHT,
      cursor: { sync: { key: 'step' }, points: { size: 6 } },
      scales: { x: { time: false }, y: { range: (_, low, high) => pad(low, high, chart.share) } },
      axes: [
        { ...axis(), size: 26, incrs: WHOLE_STEPS },
        { ...axis(), size: 48, values: (_, ticks) => ticks.map(show) },
      ],
      series: [{ label: 'step' }, ...seriesOf(chart.lines)],
    };
  }

  /** @type {(low: number, high: number, share?: boolean) => [number, number]} */
  function pad(low, high, share) {
    if (low === null || high === null) return [0, 1];
    const room = Math.max((high - low) * 0.08, Math.abs(high) * 0.01) || 0.1;
    const [from, to] = [low - room, high + room];
    if (share) return [Math.max(0, from), Math.min(1, Math.max(to, from + 0.05))];
    return [low >= 0 ? Math.max(0, from) : from, to];
  }

  /** @type {(tag: string, className: string, text?: string) => HTMLElement} */
  function element(tag, className, text = '') {
    const node = document.createElement(tag);
    node.className = className;
    node.textContent = text;
    return node;
  }

  /** @type {(parent: HTMLElement, chart: Chart) => uPlot} */
  function draw(parent, chart) {
    const box = element('figure', 'chart');
    const caption = element('figcaption', '');
    caption.append(element('b', '', chart.title), element('span', '', chart.note));
    box.append(caption);
    parent.append(box);
    const columns = chart.lines.flatMap(({ name }) => {
      const column = metrics[name] ?? steps.map(() => null);
      return [column, smooth(column)];
    });
    const plot = new uPlot(options(chart, box.clientWidth || 320), [steps, ...columns], box);
    new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: HEIGHT })).observe(box);
    return plot;
  }

  /** @type {(id: string) => HTMLElement} */
  function place(id) {
    const node = document.getElementById(id);
    if (!node) throw new Error(`the page has no element ${id}`);
    return node;
  }

  const known = CHARTS.map((chart) => ({
    ...chart,
    // A KL of a run without a reference model is 0 throughout and says nothing.
    lines: chart.lines.filter(({ name }) => metrics[name]?.some((value) => value)),
  })).filter((chart) => chart.lines.length > 0);
  const named = new Set([
    'step',
    ...known.flatMap((chart) => chart.lines.map((line) => line.name)),
  ]);
  const rest = Object.keys(metrics).filter((name) => !named.has(name));

  const plots = known.map((chart) => draw(place('charts'), chart));
  if (known.length === 0)
    place('charts').append(element('p', 'note', 'No step has been recorded.'));
  const more = place('more-charts');
  more.hidden = rest.length === 0;
  more.addEventListener(
    'toggle',
    () => {
      for (const name of rest.sort()) {
        plots.push(draw(place('charts-rest'), one(name, '', name, '--blue')));
      }
    },
    { once: true },
  );
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const plot of plots) plot.redraw();
  });
})();
