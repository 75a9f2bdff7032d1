/**
 * The contract that every Domain keeps, as plain named checks: any test runner can call them, no model is needed.
 *
 * ```ts
 * for (const check of domainContract({ domain, rows })) test(check.name, check.run);
 * ```
 * The checks run in their order: the last one closes the domain. docs/guide/domains.md says what each is for.
 */
import {
  type Bench,
  closesTwice,
  honoursAbortBefore,
  honoursAbortDuring,
  judgesAlikeInParallel,
  repeatsItsVerdicts,
  survivesHostileText,
  tellsRightFromWrong,
} from './contract/judging.ts';
import { parsesItsRows, refusesBadRows, survivesDamagedRows } from './contract/parsing.ts';
import { keepsTheReference, looksTheSame, wordsCorrectionsAlike } from './contract/telling.ts';
import type { Domain, Task } from './types.ts';

export { HOSTILE_TEXTS, HOSTILE_VALUES, type HostileText } from './contract/hostile.ts';
export { BOUNDS } from './contract/verdicts.ts';

export interface ContractSubject<R> {
  /** Closed by the last check. */
  readonly domain: Domain<R>;
  /** Rows of a data set that must parse. At least one needs a `known` answer. */
  readonly rows: readonly unknown[];
  /** Rows that must be refused, with the field that the error has to name. */
  readonly badRows?: readonly { readonly row: unknown; readonly field: string }[];
  /** Attempts that attack this domain in particular, beside the corpus for all. */
  readonly hostile?: readonly string[];
  /** An attempt that takes long to judge: it must be stopped by an abort while it runs. */
  readonly slow?: { readonly row: unknown; readonly text: string };
  /** Texts that the policy must never see of a task, beside its known right answer: hidden inputs, expected outputs. */
  readonly secrets?: (task: Task<R>) => readonly string[];
  /** Pairs of rows that differ in nothing but the reference: to the policy they must look the same. */
  readonly twins?: readonly (readonly [unknown, unknown])[];
  /** A domain that has not answered after so long is stuck. Default 60 s: a slow machine must not fail a contract. */
  readonly patienceMs?: number;
}

export interface ContractCheck {
  readonly name: string;
  run(): Promise<void>;
}

/** The checks for one domain, with `known` answers where the domain gives them. */
export function domainContract<R>(subject: ContractSubject<R>): ContractCheck[] {
  const { domain, rows, badRows = [], hostile = [], slow, twins = [] } = subject;
  const { secrets = () => [], patienceMs = 60_000 } = subject;
  const bench = (): Bench<R> => ({
    domain,
    tasks: rows.map((row) => domain.parse(row)),
    patienceMs,
  });
  const checks: Readonly<Record<string, () => Promise<void> | void>> = {
    'parses its rows into tasks of its own name, each with an id': () =>
      parsesItsRows(domain, rows),
    'refuses rows it cannot read and names the field': () => refusesBadRows(domain, badRows),
    'answers a damaged row with a task or a TaskError': () => survivesDamagedRows(domain, rows),
    'accepts its known right answer and rejects its known wrong one': () =>
      tellsRightFromWrong(bench()),
    'gives the same verdict on the same attempt': () => repeatsItsVerdicts(bench()),
    'gives the same verdicts to many at once': () => judgesAlikeInParallel(bench()),
    'judges hostile text, passes none, and works on after it': () =>
      survivesHostileText(bench(), hostile),
    'honours an abort before it begins: void, never a judgement': () => honoursAbortBefore(bench()),
    'honours an abort while it judges, and works on after it': () =>
      honoursAbortDuring(bench(), slow),
    'leaks no reference into what the policy may see': () => keepsTheReference(bench(), secrets),
    'looks the same to the policy whatever the reference': () => looksTheSame(bench(), twins),
    'words the correction of a right attempt and of a wrong one alike': () =>
      wordsCorrectionsAlike(bench()),
    'closes twice, and answers what is asked afterwards': () => closesTwice(bench()),
  };
  return Object.entries(checks).map(([name, check]) => ({
    name: `${domain.name}: ${name}`,
    run: async () => check(),
  }));
}
