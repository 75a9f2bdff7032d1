/** The judges of a run: math and code as they come, and whatever a user adds. */
import { codeDomain } from '@cipo/verifier/code';
import { mathDomain } from '@cipo/verifier/math';
import type { Domain } from '@cipo/verifier/types';
import { threadsOf } from './policy.ts';

export type Domains = Readonly<Record<'math' | 'code', Domain>> & Readonly<Record<string, Domain>>;

/** @param workers sandbox processes; 0 is as many as there are cores, at most 8 */
export function openDomains(workers: number): Domains {
  const count = threadsOf(workers);
  return { math: mathDomain(), code: codeDomain({ workers: count }) };
}
