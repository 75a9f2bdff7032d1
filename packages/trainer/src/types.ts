/**
 * The nouns of training: those of the engine (tokens, samples, data, losses, {@link PolicyEngine}) and the tokenizer.
 * Axis legend, everywhere: B prompts, G rollouts of a prompt, T tokens, V vocabulary, D model, H heads.
 */

import type { TokenIds } from '@cipo/engine/types';
import type { Message } from '@cipo/verifier/types';

export type * from '@cipo/engine/types';

/** Incremental detokenisation: never a part of a character. */
export interface TokenStream {
  /** The text that is settled now; may be empty. */
  push(token: number): string;
  /** What is left, with U+FFFD where a character was cut off. */
  end(): string;
}

/** Text to tokens and back, with the model's own chat layout. */
export interface Tokenizer {
  readonly vocabSize: number;
  readonly endId: number;
  readonly padId: number;
  encode(text: string): TokenIds;
  /** Special tokens are left out. */
  decode(tokens: ArrayLike<number>): string;
  /** Text while tokens come; what it gives out, put together, is their {@link decode}. */
  stream(): TokenStream;
  /** The prompt of the next assistant turn. @throws where the messages cannot be laid out. */
  renderChat(messages: readonly Message[]): TokenIds;
}
