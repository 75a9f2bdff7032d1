/** Builds the results section of the report: a card per measure with its intervals, and a table by kind of task. Pure. */
import { formatInterval, formatPercent, formatPoints, plural } from '../terminal/format.ts';
import { areApart, measures } from '../terminal/table.ts';
import { escapeHtml } from './embed.ts';
import type { EstimateFile, EvaluationFile, SummaryFile } from './schemas.ts';

type Measure = ReturnType<typeof measures>[number][0];

const MEANING: Readonly<Record<string, string>> = {
  passAt1: 'share of correct attempts',
  passAtK: 'share of tasks with at least one correct attempt',
  fixRate: 'share of incorrect attempts that a correction makes correct',
  retention: 'share of correct attempts that a correction leaves correct',
};

export function resultsSection(summary: SummaryFile): string {
  const { before, after } = summary.intervals;
  const cards = measures(before.k)
    .map(([key, name]) => card(key, name, before, after))
    .join('');
  return `<section aria-labelledby="results"><h2 id="results">Held-out tasks${after ? ', before and after' : ' before training'}</h2>
${after ? '' : '<p class="note">The run stopped before the second evaluation.</p>'}
<div class="cards">${cards}</div>
${qualityTable(before, after)}
<p class="note">Brackets and whiskers: 95 % intervals, bootstrap over tasks.${after ? ' Grey: before, blue: after. Changes are in percentage points.' : ''}${after ? ' <b class="apart">Bold changes</b>: the two intervals do not overlap.' : ''}${voidNote(before, after)}</p></section>`;
}

function voidNote(before: EvaluationFile, after: EvaluationFile | null): string {
  const count = before.voided + (after?.voided ?? 0);
  const verb = count === 1 ? 'is' : 'are';
  return count === 0
    ? ''
    : ` ${plural(count, 'attempt')} got no judgement and ${verb} excluded from every share.`;
}

function card(
  key: Measure,
  name: string,
  before: EvaluationFile,
  after: EvaluationFile | null,
): string {
  const latest = after?.[key] ?? before[key];
  const change = after ? ` ${changeTag(before[key], after[key])}` : '';
  return `<article class="card"><h3>${name}</h3><p class="meaning">${MEANING[key]}</p>
<p class="big">${formatPercent(latest.mean)}${change}</p>${whiskers(before[key], after?.[key])}</article>`;
}

function changeTag(before: EstimateFile, after: EstimateFile): string {
  const isClear = areApart(before, after);
  const direction = isClear ? (after.mean > before.mean ? 'up' : 'down') : 'same';
  return `<span class="change ${direction}">${formatPoints(before.mean, after.mean)}</span>`;
}

/** A dot with its interval for each evaluation, on one axis from 0 to 100 %. */
function whiskers(before: EstimateFile, after: EstimateFile | undefined): string {
  const rows = [whisker(before, 9, 'before'), ...(after ? [whisker(after, 25, 'after')] : [])].join(
    '',
  );
  const height = after ? 44 : 28;
  const ticks = [0, 50, 100]
    .map((tick) => `<text x="${4 + tick * 1.92}" y="${height - 1}" class="tick">${tick}</text>`)
    .join('');
  const grid = [0, 25, 50, 75, 100]
    .map(
      (tick) =>
        `<line x1="${4 + tick * 1.92}" x2="${4 + tick * 1.92}" y1="0" y2="${height - 11}"/>`,
    )
    .join('');
  const label = `before ${formatInterval(before)}${after ? `, after ${formatInterval(after)}` : ''}`;
  return `<svg class="whiskers" viewBox="-2 0 208 ${height}" role="img" aria-label="${escapeHtml(label)}"><g class="grid">${grid}</g>${rows}${ticks}</svg>`;
}

function whisker(estimate: EstimateFile, y: number, name: string): string {
  const [low, mean, high] = [estimate.low, estimate.mean, estimate.high].map((share) =>
    (4 + share * 192).toFixed(1),
  );
  if (!Number.isFinite(estimate.mean)) return '';
  return `<g class="${name}"><title>${name}: ${escapeHtml(formatInterval(estimate))}</title><line x1="${low}" x2="${high}" y1="${y}" y2="${y}"/><circle cx="${mean}" cy="${y}" r="4"/></g>`;
}

function qualityTable(before: EvaluationFile, after: EvaluationFile | null): string {
  const head = ['', 'before', ...(after ? ['after', 'change'] : [])]
    .map((title) => `<th scope="col">${title}</th>`)
    .join('');
  const kinds = Object.keys(before.perKind);
  const body = measures(before.k)
    .map(([key, name]) => {
      const total = row(name, 'total', before[key], after?.[key]);
      const parts = kinds.map((kind) => kindRow(kind, key, before, after));
      return `<tbody>${total}${kinds.length > 1 ? parts.join('') : ''}</tbody>`;
    })
    .join('');
  return `<div class="scroll"><table class="quality"><thead><tr>${head}</tr></thead>${body}</table></div>`;
}

function kindRow(
  kind: string,
  key: Measure,
  before: EvaluationFile,
  after: EvaluationFile | null,
): string {
  const old = Object.entries(before.perKind).find(([name]) => name === kind)?.[1];
  const now = Object.entries(after?.perKind ?? {}).find(([name]) => name === kind)?.[1];
  return old ? row(kind, 'kind', old[key], now?.[key]) : '';
}

function row(
  name: string,
  role: string,
  before: EstimateFile,
  after: EstimateFile | undefined,
): string {
  const change = after
    ? `<td>${formatInterval(after)}</td><td>${changeTag(before, after)}</td>`
    : '';
  return `<tr class="${role}"><th scope="row">${escapeHtml(name)}</th><td>${formatInterval(before)}</td>${change}</tr>`;
}
