/**
 * Checks the fields of `--set` before any row is read, as far as they do not depend on the row: the options of the math
 * domain and the limits of the code domain. Leaves out: other fields, and plug-in domains, which may read any field.
 */
import type { DomainSet } from '@cipo/verifier/domains';
import { isTaskError } from '@cipo/verifier/types';
import type { Settings } from '../config/layers.ts';
import { EXIT, UserError } from '../errors.ts';

/** For each field, the domain that reads it and a row that is valid without it. */
const CHECKED_FIELDS: Readonly<Record<string, { domain: string; row: Settings }>> = {
  options: { domain: 'math', row: { answer: '1' } },
  limits: {
    domain: 'code',
    row: {
      language: 'javascript',
      tests: { type: 'call', entry: 'f', cases: [{ args: [], expected: 1 }] },
    },
  },
};

/** @param defaults the fields of `--set`. @throws {UserError} exit code 2: a field is invalid for every row */
export function checkDefaults(defaults: Settings, domains: DomainSet): void {
  if (domains.plugged.length > 0) return;
  for (const [field, { domain, row }] of Object.entries(CHECKED_FIELDS)) {
    if (!Object.hasOwn(defaults, field)) continue;
    try {
      domains.get(domain).parse({ ...row, [field]: defaults[field] });
    } catch (error) {
      if (!isTaskError(error)) throw error;
      throw new UserError(`--set: ${error.message}`, EXIT.usage, { cause: error });
    }
  }
}
