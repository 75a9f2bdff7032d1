/**
 * @packageDocumentation
 * The contract that every Domain keeps, as named checks without a model. Any test runner can run
 * them: node:test, Vitest, Jest, Mocha.
 *
 * ```ts
 * for (const check of domainContract({ domain, rows })) test(check.name, check.run);
 * ```
 * The checks must run in their order, because the last one closes the domain. docs/guide/domains.md explains each.
 */
import { checkCorrections, checkSecrets, checkTwins } from './contract/disclosure.ts';
import { shortenFailure } from './contract/failure.ts';
import {
  type Bench,
  checkAbortBefore,
  checkAbortDuring,
  checkClosing,
  checkHostileText,
  checkKnownResponses,
  checkParallelCalls,
  checkRepetition,
} from './contract/judging.ts';
import { checkBadRows, checkDamagedRows, checkRows } from './contract/parsing.ts';
import type { Domain, Task } from './types.ts';

export { HOSTILE_TEXTS, HOSTILE_VALUES, type HostileText } from './contract/hostile.ts';

/** A domain under test and the material to test it with. More material makes the contract stronger. */
export interface ContractSubject<R> {
  /** The last check closes it. */
  readonly domain: Domain<R>;
  /** Rows that must parse. The domain must have `known` responses for at least one of them. */
  readonly rows: readonly unknown[];
  /** Rows that must be refused, each with the field that the error must name. */
  readonly badRows?: readonly { readonly row: unknown; readonly field: string }[];
  /** Attempts that attack this domain, in addition to {@link HOSTILE_TEXTS}. */
  readonly hostile?: readonly string[];
  /** An attempt that takes long to judge. An abort must stop it. */
  readonly slow?: { readonly row: unknown; readonly text: string };
  /** Texts of a task that the policy must never see, besides its correct response: hidden inputs, expected outputs. */
  readonly secrets?: (task: Task<R>) => readonly string[];
  /** Pairs of rows that differ only in their reference: to the policy they must look the same. */
  readonly twins?: readonly (readonly [unknown, unknown])[];
  /** A verdict that takes longer fails the check. Default 60,000: a slow machine must not fail a contract. */
  readonly timeoutMs?: number;
}

/** One check of the contract, for a test runner. */
export interface ContractCheck {
  /** The name of the domain and the fact that is checked. */
  readonly name: string;
  /** Rejects with an AssertionError of at most 1,000 characters if the domain breaks the contract. */
  run(): Promise<void>;
}

/** Makes the checks of the contract for one domain. */
export function domainContract<R>(subject: ContractSubject<R>): ContractCheck[] {
  const { domain, rows, badRows = [], hostile = [], slow, twins = [] } = subject;
  const { secrets = () => [], timeoutMs = 60_000 } = subject;
  const bench = (): Bench<R> => ({
    domain,
    tasks: rows.map((row) => domain.parse(row)),
    timeoutMs,
  });
  const checks: Readonly<Record<string, () => Promise<void> | void>> = {
    'parses its rows into tasks of its own domain, each with an id': () => checkRows(domain, rows),
    'refuses rows that it cannot read and names the field': () => checkBadRows(domain, badRows),
    'turns a damaged row into a task or a TaskError': () => checkDamagedRows(domain, rows),
    'accepts its known correct response and rejects the incorrect one': () =>
      checkKnownResponses(bench()),
    'gives the same attempt the same verdict again': () => checkRepetition(bench()),
    'gives the same verdicts in parallel': () => checkParallelCalls(bench()),
    'judges hostile text, accepts none of it, and works afterwards': () =>
      checkHostileText(bench(), hostile),
    'returns a void verdict if it is aborted beforehand': () => checkAbortBefore(bench()),
    'stops when it is aborted while judging, and works afterwards': () =>
      checkAbortDuring(bench(), slow),
    'shows the policy no part of the reference': () => checkSecrets(bench(), secrets),
    'looks the same to the policy whatever the reference is': () => checkTwins(bench(), twins),
    'words the corrections of a correct and an incorrect attempt alike': () =>
      checkCorrections(bench()),
    'can be closed twice and called afterwards': () => checkClosing(bench()),
  };
  return Object.entries(checks).map(([name, check]) => ({
    name: `${domain.name}: ${name}`,
    run: () => runCheck(check),
  }));
}

async function runCheck(check: () => Promise<void> | void): Promise<void> {
  try {
    await check();
  } catch (error) {
    throw shortenFailure(error);
  }
}
