/** Opens the domains of a run: math, code and the plug-ins that the configuration names. */
import { type DomainSet, openDomains as openAll } from '@cipo/verifier/domains';
import type { TrainConfig } from '../config.ts';
import { threadsOf } from '../policy/policy.ts';

/**
 * Opens math, code and the plug-ins of `config.domains`. Close the set after use, unless {@link openTasks} owns it.
 * @throws {PluginError} naming the plug-in and what is wrong with it
 */
export function openDomains(config: Pick<TrainConfig, 'workers' | 'domains'>): Promise<DomainSet> {
  return openAll({ workers: threadsOf(config.workers), plugins: config.domains });
}
