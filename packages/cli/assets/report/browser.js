/**
 * The browser of attempts and corrections in the report. A classic script without imports.
 * All guest text is inserted through textContent: this script parses no HTML.
 */
// @ts-check
(() => {
  /**
   * @typedef {{ attempt: string, passed: boolean, diagnosticsShown: string[] }} Anchor
   * @typedef {{ step: number, kind: string, taskId: string, stream: 'base' | 'correction', prompt: string,
   *   attempt: string, passed?: boolean, status: string, diagnostics: string[], advantage: number | null,
   *   anchor?: Anchor }} Sample
   */

  /** @type {Sample[]} */
  const samples = JSON.parse(document.getElementById('data')?.textContent ?? '{}').samples ?? [];
  const PAGE = 200;

  /** @type {<K extends keyof HTMLElementTagNameMap>(tag: K, className?: string, text?: string) => HTMLElementTagNameMap[K]} */
  function element(tag, className = '', text = '') {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text) node.textContent = text;
    return node;
  }

  /** @type {(passed: boolean | undefined) => 'correct' | 'incorrect' | 'void'} */
  function outcomeOf(passed) {
    return passed === undefined ? 'void' : passed ? 'correct' : 'incorrect';
  }

  const MARKS = { correct: '✓', incorrect: '✗', void: '○' };

  /** @type {(label: string, choices: [string, string][]) => { field: HTMLLabelElement, select: HTMLSelectElement }} */
  function createChooser(label, choices) {
    const field = element('label', 'field');
    const select = element('select');
    for (const [value, text] of choices) {
      const option = element('option', '', text);
      option.value = value;
      select.append(option);
    }
    field.append(element('span', '', label), select);
    return { field, select };
  }

  /** @type {(label: string, type: string, placeholder: string) => { field: HTMLLabelElement, input: HTMLInputElement }} */
  function createInput(label, type, placeholder) {
    const field = element('label', 'field');
    const input = element('input');
    input.type = type;
    input.placeholder = placeholder;
    field.append(element('span', '', label), input);
    return { field, input };
  }

  const kinds = [...new Set(samples.map((sample) => sample.kind))].sort();
  const all = samples.map((sample) => sample.step);
  const first = String(all.reduce((a, b) => Math.min(a, b), all[0] ?? 0));
  const last = String(all.reduce((a, b) => Math.max(a, b), all[0] ?? 0));
  const kind = createChooser('Kind', [
    ['', 'all'],
    ...kinds.map((k) => /** @type {[string, string]} */ ([k, k])),
  ]);
  const stream = createChooser('Stream', [
    ['', 'both'],
    ['base', 'attempts'],
    ['correction', 'corrections'],
  ]);
  const verdict = createChooser('Verdict', [
    ['', 'any'],
    ['correct', 'correct'],
    ['incorrect', 'incorrect'],
    ['void', 'no judgement'],
  ]);
  const change = createChooser('Correction', [
    ['', 'any'],
    ['incorrect>correct', 'fixed: incorrect → correct'],
    ['incorrect>incorrect', 'not fixed: incorrect → incorrect'],
    ['correct>correct', 'retained: correct → correct'],
    ['correct>incorrect', 'broken: correct → incorrect'],
  ]);
  const from = createInput('From step', 'number', first);
  const to = createInput('To step', 'number', last);
  const search = createInput('Text', 'search', 'any text');

  /** @type {(sample: Sample) => boolean} */
  function matchesFilters(sample) {
    const result = outcomeOf(sample.passed);
    const path = sample.anchor ? `${outcomeOf(sample.anchor.passed)}>${result}` : '';
    const text = search.input.value.toLowerCase();
    return (
      (!kind.select.value || sample.kind === kind.select.value) &&
      (!stream.select.value || sample.stream === stream.select.value) &&
      (!verdict.select.value || result === verdict.select.value) &&
      (!change.select.value || path === change.select.value) &&
      (from.input.value === '' || sample.step >= Number(from.input.value)) &&
      (to.input.value === '' || sample.step <= Number(to.input.value)) &&
      (text === '' || searchableText(sample).includes(text))
    );
  }

  /** @type {(sample: Sample) => string} */
  function searchableText(sample) {
    return [
      sample.prompt,
      sample.attempt,
      sample.anchor?.attempt ?? '',
      sample.taskId,
      ...sample.diagnostics,
    ]
      .join('\n')
      .toLowerCase();
  }

  const filters = element('form', 'filters');
  filters.append(...[kind, stream, verdict, change, from, to, search].map(({ field }) => field));
  const count = element('p', 'note');
  count.setAttribute('role', 'status');
  const list = element('ol', 'list');
  list.setAttribute('aria-label', 'Attempts');
  const detail = element('div', 'detail');
  detail.setAttribute('aria-live', 'polite');
  const more = element('button', 'more', 'Show more');
  more.type = 'button';
  const left = element('div', 'left');
  left.append(list, more);
  const split = element('div', 'split');
  split.append(left, detail);
  document.getElementById('samples')?.append(filters, count, split);

  /** @type {Sample[]} */
  let found = [];
  let shown = 0;

  function refresh() {
    found = samples.filter(matchesFilters);
    shown = 0;
    list.replaceChildren();
    count.textContent =
      found.length === 0 ? 'Nothing matches.' : `${found.length.toLocaleString('en-US')} found`;
    extend();
    const first = firstToShow(found.slice(0, PAGE));
    const start = found[first];
    if (start) select(start, list.querySelectorAll('button')[first] ?? null);
    else detail.replaceChildren();
  }

  /** The index of the first correction of an incorrect attempt, otherwise of any correction, otherwise 0. */
  /** @type {(candidates: Sample[]) => number} */
  function firstToShow(candidates) {
    const incorrect = candidates.findIndex((sample) => sample.anchor?.passed === false);
    const any = candidates.findIndex((sample) => sample.anchor);
    return incorrect >= 0 ? incorrect : Math.max(0, any);
  }

  function extend() {
    for (const sample of found.slice(shown, shown + PAGE)) list.append(row(sample));
    shown = Math.min(found.length, shown + PAGE);
    more.hidden = shown >= found.length;
  }

  /** @type {(sample: Sample) => HTMLLIElement} */
  function row(sample) {
    const item = element('li');
    const button = element('button', 'row');
    button.type = 'button';
    const marks = element('span', 'marks');
    if (sample.anchor) marks.append(mark(sample.anchor.passed), '→');
    marks.append(mark(sample.passed));
    const title = sample.attempt.split('\n').find((line) => line.trim() !== '') ?? '(empty)';
    button.append(
      element('span', 'step', String(sample.step)),
      marks,
      element('span', 'kind', sample.kind),
      element('code', 'title', title.slice(0, 80)),
    );
    button.addEventListener('click', () => select(sample, button));
    item.append(button);
    return item;
  }

  /** @type {(passed: boolean | undefined) => HTMLSpanElement} */
  function mark(passed) {
    const result = outcomeOf(passed);
    const node = element('span', `mark ${result}`, MARKS[result]);
    node.title = result === 'void' ? 'no judgement' : result;
    return node;
  }

  /** @type {(sample: Sample, button: Element | null) => void} */
  function select(sample, button) {
    for (const old of list.querySelectorAll('[aria-current]')) old.removeAttribute('aria-current');
    button?.setAttribute('aria-current', 'true');
    detail.replaceChildren(heading(sample), ...parts(sample));
  }

  /** @type {(sample: Sample) => HTMLElement} */
  function heading(sample) {
    const head = element('p', 'where');
    const advantage = sample.advantage === null ? '–' : sample.advantage.toFixed(2);
    const stream = sample.stream === 'base' ? 'attempt' : 'correction';
    head.textContent = `step ${sample.step} · ${sample.kind} · ${stream} · ${sample.taskId} · advantage ${advantage}`;
    return head;
  }

  /** @type {(sample: Sample) => HTMLElement[]} */
  function parts(sample) {
    const { anchor } = sample;
    const prompt = panel('Task', sample.prompt);
    const own = panel(
      anchor ? 'Correction' : 'Attempt',
      sample.attempt,
      sample.passed,
      sample.status,
    );
    own.append(...diagnosticList('Verifier', sample.diagnostics));
    if (!anchor) return [prompt, own];
    const earlier = panel(
      'Earlier attempt',
      anchor.attempt,
      anchor.passed,
      statusOfAnchor(sample, anchor),
    );
    earlier.append(...diagnosticList('Shown to the policy', anchor.diagnosticsShown));
    const pair = element('div', 'pair');
    pair.append(earlier, own);
    return [prompt, pair];
  }

  /** @type {(title: string, text: string, passed?: boolean, status?: string) => HTMLElement} */
  function panel(title, text, passed, status) {
    const box = element('section', `panel ${status ? outcomeOf(passed) : ''}`);
    const head = element('h3', '', title);
    if (status) head.append(mark(passed), element('span', 'status', status.replaceAll('_', ' ')));
    box.append(head, element('pre', '', text || '(empty)'));
    return box;
  }

  /** The status of the attempt that became the anchor, if it is among the samples; an anchor only has `passed`. */
  /** @type {(sample: Sample, anchor: Anchor) => string} */
  function statusOfAnchor(sample, anchor) {
    const attempt = samples.find(
      (other) =>
        other.stream === 'base' &&
        other.step === sample.step &&
        other.taskId === sample.taskId &&
        other.attempt === anchor.attempt,
    );
    return attempt?.status ?? (anchor.passed ? 'correct' : 'incorrect');
  }

  /** @type {(title: string, lines: string[]) => HTMLElement[]} */
  function diagnosticList(title, lines) {
    if (lines.length === 0) return [];
    const box = element('ul', 'diagnostics');
    box.append(...lines.map((line) => element('li', '', line)));
    return [element('h4', '', title), box];
  }

  /** @type {(event: KeyboardEvent) => void} */
  function selectByArrow(event) {
    const offset = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const buttons = [...list.querySelectorAll('button')];
    const next = buttons[buttons.findIndex((node) => node.ariaCurrent === 'true') + offset];
    if (offset === 0 || !next) return;
    event.preventDefault();
    next.focus();
    next.click();
  }

  filters.addEventListener('input', refresh);
  filters.addEventListener('submit', (event) => event.preventDefault());
  more.addEventListener('click', extend);
  list.addEventListener('keydown', selectByArrow);
  refresh();
})();
