/** Models as a command names them: a folder, a GGUF file, a run, or a hub id that was not downloaded yet. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainConfig } from '@cipo/trainer';
import type { SettingFlags } from '../config/flags.ts';
import { resolveConfig } from '../config/resolve.ts';
import { EXIT, UserError } from '../errors.ts';
import { oneLine } from '../terminal/guest.ts';
import { listSavedSteps } from './folder.ts';

/** Whether a text has the form `owner/name` of a model on the hub. */
export function isHubId(text: string): boolean {
  return /^\w[\w.-]*\/\w[\w.-]*$/.test(text) && !text.includes('..');
}

/** @throws {UserError} exit code 2: there is no such file or folder */
export function requireModel(model: string): void {
  if (existsSync(model)) return;
  const missing = `There is no model at ${oneLine(model)}`;
  if (!isHubId(model)) {
    throw new UserError(
      `${missing}. Name a Hugging Face folder, a GGUF file or a run.`,
      EXIT.usage,
    );
  }
  const pulled = join('models', ...model.split('/'));
  const remedy = existsSync(pulled)
    ? `Its download is in ${pulled}: name that folder.`
    : `To download it from the hub, run cipo pull ${model}, then name ${pulled}.`;
  throw new UserError(`${missing}. ${remedy}`, EXIT.usage);
}

/**
 * The configuration of a command that uses a model without training it. A run folder stands for its best policy and
 * brings its own settings. @throws {UserError} there is no such model, or the run has no checkpoint
 */
export async function resolveModelConfig(
  model: string | undefined,
  flags: SettingFlags,
): Promise<TrainConfig> {
  if (model === undefined) return resolveConfig({ flags });
  requireModel(model);
  if (!existsSync(join(model, 'checkpoints'))) return resolveConfig({ flags: { ...flags, model } });
  const best = join(model, 'checkpoints', 'best');
  const last = join(model, 'checkpoints', `step-${listSavedSteps(model).at(-1)}`);
  const checkpoint = [best, last].find((path) => existsSync(path));
  if (checkpoint === undefined) throw new UserError(`The run ${model} has no checkpoint yet.`);
  const file = join(model, 'config.json');
  return resolveConfig({ file, complete: true, flags: { ...flags, model: checkpoint } });
}
