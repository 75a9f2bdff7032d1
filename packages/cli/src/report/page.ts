/**
 * Builds `report.html`: one file that loads nothing from the network, escapes all guest text and runs only its own
 * scripts. Pure: run data and assets in, text out.
 */
import { isRecord } from '@cipo/support';
import { flattenSettings, type Settings } from '../config/layers.ts';
import { trainSchema } from '../config/schema.ts';
import { formatClock, formatCount, formatShort } from '../terminal/format.ts';
import { oneLine, visibleLines } from '../terminal/guest.ts';
import { escapeHtml, scriptJson, sourceHash } from './embed.ts';
import type { RunData } from './read.ts';
import { resultsSection } from './results.ts';
import type { SampleLine, SummaryFile } from './schemas.ts';

/** The scripts and styles of the page, as text. */
export interface Assets {
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
}

/** The whole page. */
export function reportPage(run: RunData, assets: Assets): string {
  const title = escapeHtml(run.name);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(assets)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${title} · cipo</title>
${assets.styles.map((style) => `<style>${style}</style>`).join('\n')}
</head><body>
<header><p class="brand">cipo</p><h1>${title}</h1>${factList(run)}</header>
<main>
${noteList(run)}
${run.summary ? resultsSection(run.summary) : ''}
<section aria-labelledby="curves"><h2 id="curves">Training</h2><p class="note" id="curves-note">Faint: every step. Strong: moving average. Hover to read values; the charts share the step.</p><div id="charts" class="charts"></div><details id="more-charts"><summary>All other metrics</summary><div id="charts-rest" class="charts"></div></details></section>
<section aria-labelledby="browser"><h2 id="browser">Attempts and corrections</h2><p class="note">${sampleNote(run)}</p><div id="samples"></div></section>
${configSection(run.config)}
</main>
<script type="application/json" id="data">${scriptJson(dataOf(run))}</script>
${assets.scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body></html>
`;
}

function contentPolicy({ styles, scripts }: Assets): string {
  const sources = (texts: readonly string[]) => texts.map(sourceHash).join(' ');
  return `default-src 'none'; script-src ${sources(scripts)}; style-src ${sources(styles)}; base-uri 'none'; form-action 'none'`;
}

type Fact = readonly [name: string, value: string];

function factList(run: RunData): string {
  const facts = [...resultFacts(run), ...environmentFacts(run)];
  const items = facts.map(
    ([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(oneLine(value))}</dd></div>`,
  );
  return `<dl class="facts">${items.join('')}</dl>`;
}

function resultFacts({ summary, config }: RunData): Fact[] {
  const model = typeof config.model === 'string' ? config.model : 'the shipped warm start';
  const start: Fact[] = [
    ['preset', String(summary?.preset ?? config.preset)],
    ['seed', String(summary?.seed ?? config.seed)],
    ['model', model],
  ];
  if (!summary) return start;
  return [
    ...start,
    ...trainedFact(summary),
    ['steps', formatCount(summary.steps)],
    ['tokens generated', formatCount(summary.generatedTokens)],
    ['time', formatClock(summary.wallSeconds)],
    ...(summary.interrupted ? [['state', 'interrupted'] as const] : []),
  ];
}

/** Runs of older versions do not record their environment. */
function environmentFacts({ environment }: RunData): Fact[] {
  if (!environment) return [];
  const { command, cipo, node, platform, machine, engine } = environment;
  return [
    ['machine', `${machine}, ${platform}`],
    ['engine', engine],
    ['versions', `cipo ${cipo}, Node ${node}`],
    ['command', command],
  ];
}

/** What was trained. Runs of older versions do not record it. */
function trainedFact({ parameters, trained, lora }: SummaryFile): Fact[] {
  if (parameters === undefined || trained === undefined) return [];
  const of = `${formatShort(parameters)} parameters`;
  const text = lora
    ? `adapters of rank ${lora.rank} on ${of}: ${formatShort(trained)}`
    : `all ${of}`;
  return [['trained', text]];
}

function noteList(run: RunData): string {
  if (run.notes.length === 0) return '';
  return `<ul class="notes">${run.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`;
}

function sampleNote({ samples, samplesTotal }: RunData): string {
  return samples.length === samplesTotal
    ? `All ${formatCount(samplesTotal)} of samples.jsonl.`
    : `${formatCount(samples.length)} of the ${formatCount(samplesTotal)} in samples.jsonl, from evenly spread steps.`;
}

function dataOf({ metrics, samples, config }: RunData): unknown {
  const columns = Object.entries(metrics)
    .filter(([name]) => name !== 'kl' || hasReference(config))
    .map(([name, column]) => [oneLine(name), column]);
  return { metrics: Object.fromEntries(columns), samples: samples.map(escapeSample) };
}

/** Without a reference policy the KL is not measured: its column is 0. */
function hasReference({ objective }: Settings): boolean {
  return !isRecord(objective) || objective.beta !== 0;
}

/** Replaces hidden characters by visible escapes. */
function escapeSample(sample: SampleLine): SampleLine {
  const show = (text: string) => visibleLines(text).join('\n');
  const { anchor } = sample;
  return {
    ...sample,
    kind: show(sample.kind),
    taskId: show(sample.taskId),
    status: show(sample.status),
    prompt: show(sample.prompt),
    attempt: show(sample.attempt),
    diagnostics: sample.diagnostics.map(show),
    ...(anchor && {
      anchor: {
        ...anchor,
        attempt: show(anchor.attempt),
        diagnosticsShown: anchor.diagnosticsShown.map(show),
      },
    }),
  };
}

/** Every setting of the run; those that differ from the default are emphasized. */
function configSection(config: Settings): string {
  const defaults = new Map(trainSchema.leaves);
  const rows = flattenSettings(config).map(([path, value]) => {
    const node = defaults.get(path);
    const isOwn = JSON.stringify(node?.default) !== JSON.stringify(value);
    return `<tr class="setting${isOwn ? ' own' : ''}"><th scope="row">${escapeHtml(path)}</th><td>${escapeHtml(formatValue(value))}</td><td>${escapeHtml(node?.description ?? '')}</td></tr>`;
  });
  return `<section aria-labelledby="config"><h2 id="config">Configuration</h2><details><summary>Every setting of this run; those that differ from the defaults are bold</summary><div class="scroll"><table class="config"><tbody>${rows.join('')}</tbody></table></div></details></section>`;
}

function formatValue(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
