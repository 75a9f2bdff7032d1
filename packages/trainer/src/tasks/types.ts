/** What a procedural task kind is: a folder-sized plug-in that draws problems with their answers and likely mistakes. */
import type { Diagnostic } from '@cipo/verifier/types';
import type { Rng } from '../rng.ts';

/** 1 (easy) to 5 (hard). */
export type Level = 1 | 2 | 3 | 4 | 5;

export interface Problem {
  /** What the policy reads; also the canonical text that decides train or held-out. */
  readonly prompt: string;
  /** The row as the judging domain parses it. */
  readonly row: Readonly<Record<string, unknown>>;
  /** A response that passes, with its steps. */
  readonly right: string;
  /** Fails the way a weak policy fails: one part wrong, the rest consistent with it. */
  mistake(rng: Rng): Mistake;
}

/** A wrong response with what the verifier would tell the policy of it, in the kind's compact words. */
export interface Mistake {
  readonly attempt: string;
  readonly note: string;
}

export interface TaskKind {
  readonly name: string;
  /** The domain that judges it. */
  readonly domain: 'math' | 'code';
  /** What its prompts, responses and notes are written with: whole words, then single characters. */
  readonly words: readonly string[];
  readonly characters: string;
  draw(rng: Rng, level: Level): Problem;
  /** Renders policy-visible diagnostics in this kind's compact words, for the correction prompt. */
  note(diagnostics: readonly Diagnostic[]): string;
}
