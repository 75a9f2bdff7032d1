/** Writes report.html into the folder of a run, atomically. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Assets, reportPage } from './page.ts';
import { readRun } from './read.ts';

const ASSETS = new URL('../../assets/report/', import.meta.url);

/** Writes the report of a run. @returns the path of the file. @throws {UserError} the folder is not a run */
export async function writeReport(directory: string): Promise<string> {
  const page = reportPage(await readRun(directory), await loadAssets());
  const file = join(directory, 'report.html');
  const unfinished = `${file}.${process.pid}.tmp`;
  await writeFile(unfinished, page);
  await rename(unfinished, file);
  return file;
}

/** Reads the scripts and styles of the page. */
export async function loadAssets(): Promise<Assets> {
  const uplot = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist');
  const [library, charts, browser, libraryStyle, style, browserStyle] = await Promise.all([
    readFile(join(uplot, 'uPlot.iife.min.js'), 'utf8'),
    readFile(new URL('charts.js', ASSETS), 'utf8'),
    readFile(new URL('browser.js', ASSETS), 'utf8'),
    readFile(join(uplot, 'uPlot.min.css'), 'utf8'),
    readFile(new URL('report.css', ASSETS), 'utf8'),
    readFile(new URL('browser.css', ASSETS), 'utf8'),
  ]);
  return { styles: [libraryStyle, style, browserStyle], scripts: [library, charts, browser] };
}
