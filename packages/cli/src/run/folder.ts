/** The folder of a run: its name, the `runs/latest` link, and the checks before a run starts or resumes. */
import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EXIT, UserError } from '../errors.ts';
import { ENVIRONMENT_FILE } from './environment.ts';

/** The folder, below the current one, that holds all runs. */
export const RUNS = 'runs';

/** `cipo-s1-20261123-0412` in local time, with a number appended if that name is taken. */
export function nameRun(
  preset: string,
  seed: number,
  now: Date,
  isTaken: (name: string) => boolean,
): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const name = `${preset}-s${seed}-${day}-${two(now.getHours())}${two(now.getMinutes())}`;
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? name : `${name}-${count}`;
    if (!isTaken(candidate)) return candidate;
  }
}

/** The absolute path of a new run. @throws {UserError} it is a file, or contains a run */
export function chooseRunFolder(out: string | undefined, preset: string, seed: number): string {
  if (out === undefined) {
    const isTaken = (name: string) => existsSync(join(RUNS, name));
    return resolve(RUNS, nameRun(preset, seed, new Date(), isTaken));
  }
  const directory = resolve(out);
  if (existsSync(directory) && !lstatSync(directory).isDirectory()) {
    throw new UserError(`--out: expected a folder, got the file ${out}.`, EXIT.usage);
  }
  if (existsSync(join(directory, 'config.json'))) {
    throw new UserError(
      `--out: ${out} already contains a run. Continue it (--resume ${out}) or name another folder.`,
      EXIT.usage,
    );
  }
  return directory;
}

/**
 * Creates the folder of a run before the model is loaded, so that a command started meanwhile chooses another name.
 * @returns whether this command created it; only then may it remove the folder when the run fails
 */
export function claimRunFolder(directory: string): boolean {
  return mkdirSync(directory, { recursive: true }) !== undefined;
}

/** @returns the path without links. @throws {UserError} there is no run that can be resumed */
export function requireResumable(given: string): string {
  const directory = resolve(given);
  const check = (condition: boolean, problem: string) => {
    if (condition) return;
    throw new UserError(
      `--resume: ${given} ${problem}. Name the folder of a run, for example ${RUNS}/latest.`,
      EXIT.usage,
    );
  };
  check(existsSync(directory), 'does not exist');
  check(existsSync(join(directory, 'config.json')), 'is not a run: it has no config.json');
  check(listSavedSteps(directory).length > 0, 'has no checkpoint to continue from');
  return realpathSync(directory);
}

/** The files of a run that failed before its first evaluation ended. */
const FILES_AT_START = [
  ...['config.json', ENVIRONMENT_FILE, 'metrics.jsonl', 'samples.jsonl', 'checkpoints'],
];

/** Removes the folder of a run that failed before anything was measured: it has nothing to look at or to resume. */
export async function discardEmptyRun(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  const isStart = readdirSync(directory).every((name) => FILES_AT_START.includes(name));
  const metrics = join(directory, 'metrics.jsonl');
  const isEmpty = !existsSync(metrics) || statSync(metrics).size === 0;
  if (isStart && isEmpty && listSavedSteps(directory).length === 0) {
    await rm(directory, { recursive: true });
  }
}

/** Steps with a complete checkpoint, in order. */
export function listSavedSteps(directory: string): number[] {
  const folder = join(directory, 'checkpoints');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => (/^step-\d+$/.test(name) ? [Number(name.slice('step-'.length))] : []))
    .sort((a, b) => a - b);
}

/** Points the link `latest` beside the run to it, atomically. Only inside a `runs` folder: no other folder gets links. */
export async function linkLatest(directory: string): Promise<void> {
  const parent = dirname(directory);
  if (basename(parent) !== RUNS) return;
  const fresh = join(parent, `.latest-${process.pid}`);
  await rm(fresh, { force: true });
  await symlink(basename(directory), fresh);
  await rename(fresh, join(parent, 'latest'));
}
