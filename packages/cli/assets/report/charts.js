/**
 * Draws the curves of the report in the browser with uPlot. A classic script without imports.
 * Reads the embedded data. Names of metrics are inserted as text, never as markup.
 */
// @ts-check
(() => {
  /** @typedef {{ name: string, label: string, color: string }} Line */
  /** @typedef {{ title: string, note: string, unit: string, lines: Line[], isShare?: boolean }} Chart */

  /** @type {Chart[]} */
  const CHARTS = [
    {
      title: 'Reward',
      note: 'mean of each stream',
      unit: 'reward',
      isShare: true,
      lines: [
        { name: 'reward', label: 'attempts', color: '--blue' },
        { name: 'correction/reward', label: 'corrections', color: '--orange' },
      ],
    },
    {
      title: 'Fix rate and retention',
      note: 'P(correct | incorrect anchor), P(correct | correct anchor)',
      unit: 'share of corrections',
      isShare: true,
      lines: [
        { name: 'correction/fix_rate', label: 'fix rate', color: '--blue' },
        { name: 'correction/retention', label: 'retention', color: '--green' },
      ],
    },
    single('Rho', 'target share of correct anchors', 'share', 'correction/rho', '--violet'),
    single('Entropy', 'sampled estimate', 'nats per token', 'entropy', '--blue'),
    single('KL', 'k3 estimate to the starting policy', 'nats per token', 'kl', '--violet'),
    single('Gradient norm', 'before clipping', 'norm', 'grad_norm', '--orange'),
    single('Completion length', 'mean', 'tokens', 'completions/mean_length', '--green'),
    single(
      'Groups without signal',
      'all correct or all incorrect',
      'share of groups',
      'frac_reward_zero_std',
      '--orange',
    ),
    single(
      'Copy rate',
      'corrections equal to their anchor',
      'share of corrections',
      'correction/copy_rate',
      '--green',
    ),
  ];

  /** A chart of one metric. The legend shows the unit-free title. */
  /** @type {(title: string, note: string, unit: string, name: string, color: string) => Chart} */
  function single(title, note, unit, name, color) {
    return { title, note, unit, lines: [{ name, label: title.toLowerCase(), color }] };
  }

  const HEIGHT = 210;
  /** Distances between ticks of the step axis. */
  const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5];
  /** Runs with fewer steps are not smoothed. */
  const MIN_SMOOTHED = 15;
  /** @type {Record<string, (number | null)[]>} */
  const metrics = JSON.parse(document.getElementById('data')?.textContent ?? '{}').metrics ?? {};
  const length = Math.max(0, ...Object.values(metrics).map((column) => column.length));
  const steps = (metrics.step ?? Array.from({ length }, (_, i) => i + 1)).map(
    (step, i) => step ?? i + 1,
  );

  /** @type {(name: string) => string} */
  function colorOf(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  /** Steps on each side of a point in its moving average: a window of a tenth of the run, at least 5 steps. */
  const half = Math.max(2, Math.round(length / 20));

  /** Centred moving average; gaps are skipped. */
  /** @type {(column: (number | null)[]) => (number | null)[]} */
  function smooth(column) {
    if (column.length < MIN_SMOOTHED) return column;
    return column.map((_, i) => {
      const near = column
        .slice(Math.max(0, i - half), i + half + 1)
        .filter((value) => value !== null);
      return near.length === 0 ? null : near.reduce((sum, value) => sum + value, 0) / near.length;
    });
  }

  /** @type {(value: number | null | undefined) => string} */
  function formatValue(value) {
    if (value === null || value === undefined) return '–';
    const size = Math.abs(value);
    if (size !== 0 && size < 1e-3) return value.toExponential(1);
    return size >= 1000 ? Math.round(value).toLocaleString('en-US') : String(+value.toPrecision(3));
  }

  /** @type {(lines: Line[]) => uPlot.Series[]} */
  function seriesOf(lines) {
    return lines.flatMap(({ label, color }) => {
      const stroke = () => colorOf(color);
      const points = { show: length < 3 };
      /** @type {uPlot.Series} */
      const faint = { stroke: () => `${colorOf(color)}55`, width: 1, points };
      /** @type {uPlot.Series} */
      const strong = { label, stroke, width: 2, points, value: (_, value) => formatValue(value) };
      return [{ ...faint, label: '', class: 'faint' }, strong];
    });
  }

  /** @type {(label: string) => uPlot.Axis} */
  function axis(label) {
    return {
      label,
      labelSize: 16,
      labelGap: 2,
      labelFont: '11px system-ui, sans-serif',
      stroke: () => colorOf('--faint'),
      grid: { stroke: () => colorOf('--line'), width: 1 },
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
      hooks: {
        setCursor: [
          (plot) => {
            if (plot.cursor.idx === null) plot.setLegend({ idx: length - 1 }, false);
          },
        ],
      },
      scales: {
        x: { time: false },
        y: { range: (_, low, high) => padRange(low, high, chart.isShare) },
      },
      axes: [
        { ...axis('step'), size: 26, incrs: WHOLE_STEPS },
        { ...axis(chart.unit), size: 48, values: (_, ticks) => ticks.map(formatValue) },
      ],
      series: [{ label: 'step' }, ...seriesOf(chart.lines)],
    };
  }

  /** @type {(low: number, high: number, isShare?: boolean) => [number, number]} */
  function padRange(low, high, isShare) {
    if (low === null || high === null) return [0, 1];
    const margin = Math.max((high - low) * 0.08, Math.abs(high) * 0.01) || 0.1;
    const [from, to] = [low - margin, high + margin];
    if (isShare) return [Math.max(0, from), Math.min(1, Math.max(to, from + 0.05))];
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
    plot.setLegend({ idx: length - 1 }, false); // the last values, until the reader hovers
    new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: HEIGHT })).observe(box);
    return plot;
  }

  /** @type {(id: string) => HTMLElement} */
  function findElement(id) {
    const node = document.getElementById(id);
    if (!node) throw new Error(`the page has no element ${id}`);
    return node;
  }

  /** A metric that is zero throughout is drawn too: a reward of 0 is the sign of a run that learns nothing. */
  const known = CHARTS.map((chart) => ({
    ...chart,
    lines: chart.lines.filter(({ name }) => metrics[name] !== undefined),
  })).filter((chart) => chart.lines.length > 0);
  const named = new Set([
    'step',
    ...known.flatMap((chart) => chart.lines.map((line) => line.name)),
  ]);
  const rest = Object.keys(metrics).filter((name) => !named.has(name));

  const plots = known.map((chart) => draw(findElement('charts'), chart));
  if (known.length === 0) {
    findElement('charts').append(element('p', 'note', 'No step has been recorded.'));
  }
  if (length >= MIN_SMOOTHED) {
    findElement('curves-note').append(` The window is ${2 * half + 1} steps.`);
  }
  const more = findElement('more-charts');
  more.hidden = rest.length === 0;
  more.addEventListener(
    'toggle',
    () => {
      for (const name of rest.sort()) {
        plots.push(draw(findElement('charts-rest'), single(name, '', 'value', name, '--blue')));
      }
    },
    { once: true },
  );
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const plot of plots) plot.redraw();
  });
})();
