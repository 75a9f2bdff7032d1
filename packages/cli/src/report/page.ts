/**
 * `report.html`: one file, no network, everything that guests wrote escaped, nothing runs but our scripts.
 * Pure: run data and assets in, text out.
 */
import { isSettings, type Settings } from '../config/layers.ts';
import { trainSchema } from '../config/schema.ts';
import { clock, short, whole } from '../terminal/format.ts';
import { oneLine, visibleLines } from '../terminal/guest.ts';
import { escapeHtml, scriptJson, sourceHash } from './embed.ts';
import type { RunData } from './read.ts';
import { resultsSection } from './results.ts';
import type { SampleLine, SummaryFile } from './schemas.ts';

/** Texts of the page's own scripts and styles. */
export interface Assets {
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
}

export function reportPage(run: RunData, assets: Assets): string {
  const title = escapeHtml(run.name);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(assets)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${title} · cipo</title>
${assets.styles.map((style) => `<style>${style}</style>`).join('\n')}
</head><body>
<header><p class="brand">cipo</p><h1>${title}</h1>${facts(run)}</header>
<main>
${notesOf(run)}
${run.summary ? resultsSection(run.summary) : ''}
<section aria-labelledby="curves"><h2 id="curves">Training</h2><p class="note">Faint: every step. Strong: mean over a window. Hover to compare steps.</p><div id="charts" class="charts"></div><details id="more-charts"><summary>All other metrics</summary><div id="charts-rest" class="charts"></div></details></section>
<section aria-labelledby="browser"><h2 id="browser">Attempts and corrections</h2><p class="note">${sampleNote(run)}</p><div id="samples"></div></section>
${configSection(run.config)}
</main>
<script type="application/json" id="data">${scriptJson(dataOf(run))}</script>
${assets.scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body></html>
`;
}

function policy({ styles, scripts }: Assets): string {
  const sources = (texts: readonly string[]) => texts.map(sourceHash).join(' ');
  return `default-src 'none'; script-src ${sources(scripts)}; style-src ${sources(styles)}; base-uri 'none'; form-action 'none'`;
}

function facts({ summary, config }: RunData): string {
  const entries: [string, string][] = summary
    ? [
        ['preset', summary.preset],
        ['seed', String(summary.seed)],
        ...trainedFact(summary),
        ['steps', whole(summary.steps)],
        ['tokens generated', whole(summary.generatedTokens)],
        ['time', clock(summary.wallSeconds)],
        ...(summary.interrupted ? [['state', 'interrupted'] satisfies [string, string]] : []),
      ]
    : [
        ['preset', String(config.preset)],
        ['seed', String(config.seed)],
      ];
  return `<dl class="facts">${entries
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`)
    .join('')}</dl>`;
}

/** What was trained; runs of older versions do not say. */
function trainedFact({ parameters, trained, lora }: SummaryFile): [string, string][] {
  if (parameters === undefined || trained === undefined) return [];
  const of = `${short(parameters)} parameters`;
  const text = lora ? `adapters of rank ${lora.rank} on ${of}: ${short(trained)}` : `all ${of}`;
  return [['trained', text]];
}

function notesOf(run: RunData): string {
  if (run.notes.length === 0) return '';
  return `<ul class="notes">${run.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`;
}

function sampleNote({ samples, samplesTotal }: RunData): string {
  return samples.length === samplesTotal
    ? `${whole(samplesTotal)} kept by the run.`
    : `${whole(samples.length)} of the ${whole(samplesTotal)} in samples.jsonl, from evenly spread steps.`;
}

function dataOf({ metrics, samples }: RunData): unknown {
  const named = Object.entries(metrics).map(([name, column]) => [oneLine(name), column]);
  return { metrics: Object.fromEntries(named), samples: samples.map(legible) };
}

/** Hidden characters are spelled out before the page ever sees them. */
function legible(sample: SampleLine): SampleLine {
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

/** Every setting of the run; those that differ from the default stand out. */
function configSection(config: Settings): string {
  const defaults = new Map(trainSchema.leaves);
  const rows = leaves(config).map(([path, value]) => {
    const node = defaults.get(path);
    const own = JSON.stringify(node?.default) !== JSON.stringify(value);
    return `<tr class="setting${own ? ' own' : ''}"><th scope="row">${escapeHtml(path)}</th><td>${escapeHtml(shown(value))}</td><td>${escapeHtml(node?.description ?? '')}</td></tr>`;
  });
  return `<section aria-labelledby="config"><h2 id="config">Configuration</h2><details><summary>Every setting of this run; those that differ from the defaults are bold</summary><div class="scroll"><table class="config"><tbody>${rows.join('')}</tbody></table></div></details></section>`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function leaves(value: Settings, prefix = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([key, child]): [string, unknown][] =>
    isSettings(child) ? leaves(child, `${prefix}${key}.`) : [[`${prefix}${key}`, child]],
  );
}
