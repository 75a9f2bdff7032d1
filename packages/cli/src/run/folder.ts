/** Where a run goes: its name, the `runs/latest` link, what a resumable folder must hold. */
import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EXIT, UserError } from '../errors.ts';

export const RUNS = 'runs';

/** `cipo-s1-20261123-0412`, local time; with a number behind it where that is taken. */
export function runName(
  preset: string,
  seed: number,
  now: Date,
  taken: (name: string) => boolean,
): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const name = `${preset}-s${seed}-${day}-${two(now.getHours())}${two(now.getMinutes())}`;
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? name : `${name}-${count}`;
    if (!taken(candidate)) return candidate;
  }
}

/** The folder of a new run. @throws {UserError} it holds something already. */
export function newRunFolder(out: string | undefined, preset: string, seed: number): string {
  if (out === undefined) {
    const taken = (name: string) => existsSync(join(RUNS, name));
    return resolve(RUNS, runName(preset, seed, new Date(), taken));
  }
  const directory = resolve(out);
  if (existsSync(directory) && !lstatSync(directory).isDirectory()) {
    throw new UserError(`--out: ${out} is a file. Name a folder.`, EXIT.usage);
  }
  if (existsSync(join(directory, 'config.json'))) {
    throw new UserError(
      `--out: ${out} already holds a run. Go on with it (--resume ${out}) or name another folder.`,
      EXIT.usage,
    );
  }
  return directory;
}

/** @returns the folder without links. @throws {UserError} nothing there can be resumed. */
export function resumableFolder(given: string): string {
  const directory = resolve(given);
  const need = (there: boolean, what: string) => {
    if (there) return;
    throw new UserError(
      `--resume: ${given} ${what}. Name the folder of a run, such as ${RUNS}/latest.`,
      EXIT.usage,
    );
  };
  need(existsSync(directory), 'does not exist');
  need(existsSync(join(directory, 'config.json')), 'holds no run: it has no config.json');
  need(stepsSaved(directory).length > 0, 'has no checkpoint to go on from');
  return realpathSync(directory);
}

/** Steps with a whole checkpoint, in order. */
export function stepsSaved(directory: string): number[] {
  const folder = join(directory, 'checkpoints');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => (/^step-\d+$/.test(name) ? [Number(name.slice('step-'.length))] : []))
    .sort((a, b) => a - b);
}

/** Points `latest` beside the run at it, in one move; only inside a `runs` folder, to litter nowhere else. */
export async function linkLatest(directory: string): Promise<void> {
  const parent = dirname(directory);
  if (basename(parent) !== RUNS) return;
  const fresh = join(parent, `.latest-${process.pid}`);
  await rm(fresh, { force: true });
  await symlink(basename(directory), fresh);
  await rename(fresh, join(parent, 'latest'));
}
