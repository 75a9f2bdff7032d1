/** The judges of a run: math and code as they come, and those of the plug-ins that the configuration names. */
import { type DomainSet, openDomains as open } from '@cipo/verifier/domains';
import type { TrainConfig } from '../config.ts';
import { threadsOf } from '../policy/policy.ts';

export { type DomainSet, domainsOf } from '@cipo/verifier/domains';

/** @throws {PluginError} naming the plug-in and what is wrong with it */
export function openDomains(config: Pick<TrainConfig, 'workers' | 'domains'>): Promise<DomainSet> {
  return open({ workers: threadsOf(config.workers), plugins: config.domains });
}
