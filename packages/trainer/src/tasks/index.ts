/** Task sources of a run. */

import { type DomainSet, fallbackDomain } from '@cipo/verifier/domains';
import type { TrainConfig } from '../config.ts';
import { EmbeddedTasks, KINDS, type KindName, type Part } from './embedded.ts';
import { openFileTasks } from './files.ts';
import type { TaskSource } from './source.ts';
import type { Level } from './types.ts';

export { EmbeddedTasks, KINDS, type KindName, type Part } from './embedded.ts';
export { FileTasks, openFileTasks } from './files.ts';
export type { TaskSource, TrainingTask } from './source.ts';
export type { Level, Problem, TaskKind } from './types.ts';

/** The embedded mix as configured. */
export function partsOf(tasks: TrainConfig['tasks']): Part[] {
  const levels: Record<KindName, Level> = {
    arithmetic: tasks.arithmeticLevel,
    functions: tasks.functionsLevel,
  };
  return (Object.keys(KINDS) as KindName[]).map((name) => ({
    kind: KINDS[name],
    level: levels[name],
    weight: tasks.mix[name],
  }));
}

/** The source a configuration asks for. It owns the domains from here on and closes them. */
export async function openTasks(
  config: Pick<TrainConfig, 'tasks' | 'seed'>,
  domains: DomainSet,
): Promise<TaskSource> {
  const { train, heldOut, domain } = config.tasks;
  if (train === undefined) return new EmbeddedTasks(partsOf(config.tasks), domains, config.seed);
  const fallback = fallbackDomain(domains, domain);
  return openFileTasks({ train, heldOut, domain: fallback, seed: config.seed }, domains);
}
