/** Writes report.html beside the files it is made from: complete or not at all. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Assets, reportPage } from './page.ts';
import { readRun } from './read.ts';

const OWN = new URL('../../assets/report/', import.meta.url);

/** @returns the path of the report. @throws {UserError} the folder is not one of a run. */
export async function writeReport(directory: string): Promise<string> {
  const page = reportPage(await readRun(directory), await loadAssets());
  const file = join(directory, 'report.html');
  const unfinished = `${file}.${process.pid}.tmp`;
  await writeFile(unfinished, page);
  await rename(unfinished, file);
  return file;
}

export async function loadAssets(): Promise<Assets> {
  const uplot = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist');
  const [library, charts, browser, libraryStyle, style, browserStyle] = await Promise.all([
    readFile(join(uplot, 'uPlot.iife.min.js'), 'utf8'),
    readFile(new URL('charts.js', OWN), 'utf8'),
    readFile(new URL('browser.js', OWN), 'utf8'),
    readFile(join(uplot, 'uPlot.min.css'), 'utf8'),
    readFile(new URL('report.css', OWN), 'utf8'),
    readFile(new URL('browser.css', OWN), 'utf8'),
  ]);
  return { styles: [libraryStyle, style, browserStyle], scripts: [library, charts, browser] };
}
