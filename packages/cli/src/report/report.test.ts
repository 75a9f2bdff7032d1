import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAKE_CONFIG, fakeMetrics, fakeSamples, fakeSummary } from '../testing/fake-run.ts';
import { escapeHtml, scriptJson, sourceHash } from './embed.ts';
import { type Assets, reportPage } from './page.ts';
import { chooseSteps, type RunData, readRun } from './read.ts';
import type { SampleLine } from './schemas.ts';
import { loadAssets, writeReport } from './write.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cipo-report-'));
  const lines = (rows: readonly unknown[]) =>
    rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const steps = [1, 2, 3, 4, 5];
  await writeFile(join(folder, 'config.json'), JSON.stringify(FAKE_CONFIG));
  await writeFile(join(folder, 'summary.json'), JSON.stringify(fakeSummary(5)));
  const metrics = steps.map((step) => ({ step, ...fakeMetrics(step, 5) }));
  await writeFile(join(folder, 'metrics.jsonl'), lines(metrics));
  await writeFile(
    join(folder, 'samples.jsonl'),
    `${lines(steps.flatMap(fakeSamples))}{"step": 6, "ki`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const assets: Assets = { styles: ['b{}'], scripts: ['let x;'] };

type Node = DefaultTreeAdapterTypes.Node;

/** All elements of a page, as a browser parses them. */
function elements(html: string): DefaultTreeAdapterTypes.Element[] {
  const walk = (node: Node): Node[] => [
    node,
    ...('childNodes' in node ? node.childNodes.flatMap(walk) : []),
  ];
  return walk(parse(html)).filter(
    (node): node is DefaultTreeAdapterTypes.Element => 'tagName' in node,
  );
}

function textOf(node: DefaultTreeAdapterTypes.Element | undefined): string {
  return (node?.childNodes ?? []).map((child) => ('value' in child ? child.value : '')).join('');
}

const fragments = fc.constantFrom(
  '</script>',
  '<!--<script>',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onload='x",
  '</title><h1>',
  ']]>',
  '\u2028',
  '\u202e',
  '\u0000',
  '&lt;',
);
const hostile = fc
  .array(fc.oneof(fragments, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 6 })
  .map((parts) => parts.join(''));

/** A run in which every free text is the given one. */
function runOf(text: string): RunData {
  const sample: SampleLine = {
    step: 1,
    kind: text,
    taskId: text,
    stream: 'correction',
    prompt: text,
    attempt: text,
    passed: false,
    status: text,
    diagnostics: [text],
    advantage: Number.NaN,
    anchor: { attempt: text, passed: false, diagnosticsShown: [text] },
  };
  const { before, after } = fakeSummary().intervals;
  const renamed = (evaluation: typeof before) => ({
    ...evaluation,
    perKind: Object.fromEntries([
      [text, evaluation],
      ['other', evaluation],
    ]),
  });
  return {
    name: text,
    config: { preset: text, [text === '' ? 'x' : text]: text },
    summary: {
      ...fakeSummary(),
      preset: text,
      intervals: { before: renamed(before), after: after && renamed(after) },
    },
    metrics: { step: [1], [text]: [0.5] },
    samples: [sample],
    samplesTotal: 1,
    notes: [text],
    environment: {
      command: text,
      cipo: text,
      node: text,
      platform: text,
      machine: text,
      engine: text,
    },
  };
}

describe('hostile text in the report', () => {
  const shape = (html: string) =>
    elements(html).map((node) => [node.tagName, node.attrs.map((a) => a.name)]);

  test('hostile text never adds an element or an attribute to the page', () => {
    const expected = shape(reportPage(runOf('x'), assets));
    fc.assert(
      fc.property(hostile, (text) => {
        expect(shape(reportPage(runOf(text), assets))).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  test('hostile text is in the embedded data with its hidden characters escaped', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const scripts = elements(reportPage(runOf(text), assets)).filter(
          (n) => n.tagName === 'script',
        );
        const data: unknown = JSON.parse(textOf(scripts[0]));
        expect(scripts).toHaveLength(2);
        expect(data).toHaveProperty('samples.0.attempt');
        expect(JSON.stringify(data)).not.toMatch(/\p{Cf}/u);
      }),
      { numRuns: 100 },
    );
  });

  test('JSON in a script element parses to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = scriptJson(value);
        expect(text).not.toMatch(/[<>&\u2028\u2029]/);
        expect(JSON.stringify(JSON.parse(text))).toEqual(JSON.stringify(value));
      }),
    );
  });

  test('escaped HTML parses to the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        // The HTML parser replaces NUL and CR.
        const expected = text.replace(/[\0\r]/g, '');
        const [heading] = elements(`<h1>${escapeHtml(expected)}</h1>`).filter(
          (n) => n.tagName === 'h1',
        );
        expect(textOf(heading)).toBe(expected);
      }),
    );
  });
});

describe('the page', () => {
  test('the page runs only its own scripts and styles, by their hashes', async () => {
    const real = await loadAssets();
    const html = reportPage(runOf('x'), real);
    const nodes = elements(html);
    const policy = nodes.find((n) => n.attrs.some((a) => a.value === 'Content-Security-Policy'));
    const content = policy?.attrs.find((a) => a.name === 'content')?.value ?? '';
    expect(content).toContain("default-src 'none'");
    const inline = nodes.filter(
      (n) => n.tagName === 'style' || (n.tagName === 'script' && n.attrs.length === 0),
    );
    expect(inline).toHaveLength(6);
    for (const node of inline) expect(content).toContain(sourceHash(textOf(node)));
  });

  test('the page loads nothing from the network', async () => {
    const html = reportPage(runOf('x'), await loadAssets());
    const outside = elements(html).flatMap((n) =>
      n.attrs.filter((a) => ['src', 'href'].includes(a.name)),
    );
    expect(outside).toEqual([]);
  });

  test('the page of a run folder has curves, results and samples', async () => {
    const html = await readFile(await writeReport(folder), 'utf8');
    const data: unknown = JSON.parse(
      textOf(elements(html).find((n) => n.attrs.some((a) => a.value === 'data'))),
    );
    expect(data).toMatchObject({ metrics: { step: [1, 2, 3, 4, 5] }, samples: { length: 20 } });
    expect(html).toContain('samples.jsonl: skipped 1 line that cannot be read.');
    expect(html).toContain('correction/fix_rate');
    expect(html).toContain('+14.0');
  });
});

describe('reading a run', () => {
  test('a run without a summary is read as unfinished', async () => {
    const cut = await mkdtemp(join(tmpdir(), 'cipo-cut-'));
    await writeFile(join(cut, 'config.json'), '{}');
    const run = await readRun(cut);
    expect(run.summary).toBeUndefined();
    expect(run.notes.join(' ')).toContain('no summary.json');
    await rm(cut, { recursive: true });
  });

  test('the error for a folder that is not a run names the folder', async () => {
    await expect(readRun('/nowhere')).rejects.toThrow('/nowhere is not a run');
  });

  test('too many samples are reduced to evenly spread steps that include the last one', async () => {
    const perStep = new Map(Array.from({ length: 100 }, (_, i) => [i + 1, 10] as const));
    const chosen = [...chooseSteps(perStep, 300)].sort((a, b) => a - b);
    expect(chosen.length * 10).toBeLessThanOrEqual(300);
    expect(chosen.length).toBeGreaterThan(20);
    expect(chosen.at(-1)).toBe(100);
    const run = await readRun(folder, { samples: 8, textChars: 10 });
    expect(run.samples.length).toBeLessThanOrEqual(8);
    expect(run.samplesTotal).toBe(20);
    expect(run.samples[0]?.prompt).toContain('more characters');
  });
});
