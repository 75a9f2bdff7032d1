/** Opens the tasks that a configuration names. */
import { type DomainSet, fallbackDomain } from '@cipo/verifier/domains';
import type { TrainConfig } from '../config.ts';
import { EmbeddedTasks, KINDS, type KindName, type MixPart } from './embedded.ts';
import { openFileTasks } from './files.ts';
import type { TaskSource } from './source.ts';
import type { Level } from './types.ts';

/**
 * Opens the tasks of a run: the rows of `config.tasks.train`, or the embedded kinds.
 * @param domains judge the tasks; the source owns them: its `close` closes them, and so does a failure here
 * @throws if a file is missing or has no readable row, or no embedded kind has a weight above 0
 */
export async function openTasks(
  config: Pick<TrainConfig, 'tasks' | 'seed'>,
  domains: DomainSet,
): Promise<TaskSource> {
  try {
    return await createSource(config, domains);
  } catch (error) {
    await domains.close();
    throw error;
  }
}

async function createSource(
  { tasks, seed }: Pick<TrainConfig, 'tasks' | 'seed'>,
  domains: DomainSet,
): Promise<TaskSource> {
  const { train, heldOut } = tasks;
  if (train === undefined) return new EmbeddedTasks(embeddedMix(tasks), domains, seed);
  const domain = fallbackDomain(domains, tasks.domain);
  return openFileTasks({ train, heldOut, domain, seed }, domains);
}

/** The embedded kinds with the configured levels and weights. */
export function embeddedMix(tasks: TrainConfig['tasks']): MixPart[] {
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
