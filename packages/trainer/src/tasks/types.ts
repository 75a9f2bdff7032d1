/** The interface of an embedded task kind: it draws problems together with their solutions and likely mistakes. */
import type { Diagnostic } from '@cipo/verifier/types';
import type { Rng } from '../rng.ts';

/** Difficulty, 1 (easy) to 5 (hard). */
export type Level = 1 | 2 | 3 | 4 | 5;

/** One drawn problem. */
export interface Problem {
  /** The text of the prompt. It also decides whether the problem is for training or held out. */
  readonly prompt: string;
  /** The row that the judging domain parses, without id and prompt. */
  readonly row: Readonly<Record<string, unknown>>;
  /** A correct response, with its steps. */
  readonly solution: string;
  /** An incorrect response as a weak policy writes it: one part is wrong, the rest follows from it. */
  mistake(rng: Rng): Mistake;
}

/** An incorrect response. */
interface Mistake {
  readonly attempt: string;
  /** What {@link TaskKind.note} makes of the diagnostics that the verifier would give. */
  readonly note: string;
}

/** A kind of procedural task. */
export interface TaskKind {
  readonly name: string;
  /** Name of the domain that judges it. */
  readonly domain: 'math' | 'code';
  /** Words that get a token each. With `characters` they spell all prompts, responses and notes. */
  readonly words: readonly string[];
  /** Characters that get a token each. */
  readonly characters: string;
  draw(rng: Rng, level: Level): Problem;
  /** Diagnostics for the policy as a short note, for the correction prompt. */
  note(diagnostics: readonly Diagnostic[]): string;
}
