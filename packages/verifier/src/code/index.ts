/**
 * @packageDocumentation
 * Verdicts on JavaScript, TypeScript and Python programs of a policy, from disposable sandboxes.
 */
export type { Tolerance } from './compare.ts';
export { type CodeDomain, codeDomain } from './domain.ts';
export { type CodeProgram, problemOfPaths, type Ran, type RunEnd } from './execute.ts';
export type { Language, RunLimits } from './job.ts';
export { DEFAULT_LIMITS } from './limits.ts';
export {
  type CallCase,
  type Checker,
  type CodeReference,
  type CodeTests,
  parseCodeTask,
  type StdioCase,
} from './reference.ts';
export { assertSandboxAvailable, SandboxUnavailableError } from './runtimes.ts';
export type { Wire } from './value.ts';
export {
  type CodeItem,
  type CodeOptions,
  type CodeVerifier,
  createCodeVerifier,
  type IndexedVerdict,
} from './verifier.ts';
