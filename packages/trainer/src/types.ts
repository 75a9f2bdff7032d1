/**
 * @packageDocumentation The types of the trainer: the tokenizer, and those of the engine (tokens, samples, data,
 * losses, {@link PolicyEngine}).
 * Names of axes, in every package: B prompts, G rollouts of a prompt, T tokens, V vocabulary, D model, H heads.
 */
import type { TokenIds } from '@cipo/engine';
import type { Message } from '@cipo/verifier/types';

export type * from '@cipo/engine';

/** Decodes tokens while they are generated. It never emits a part of a character. */
export interface TokenStream {
  /** Adds a token. @returns the text that later tokens cannot change, possibly empty */
  push(token: number): string;
  /** @returns the remaining text, with U+FFFD for an incomplete character */
  end(): string;
}

/** Turns text into tokens and back, with the chat template of the model. */
export interface Tokenizer {
  /** Highest token id plus 1. */
  readonly vocabSize: number;
  /** Id of the token that ends a turn. */
  readonly endId: number;
  /** Id of the padding token; `endId` if there is none. */
  readonly padId: number;
  /** The tokens of a text, [T]; no special tokens are added. */
  encode(text: string): TokenIds;
  /** The text of tokens, without special tokens. */
  decode(tokens: ArrayLike<number>): string;
  /** Decodes token by token. The emitted texts joined equal what {@link decode} gives for all tokens. */
  stream(): TokenStream;
  /**
   * The tokens of a conversation up to the start of the next assistant turn, [T]. Control tokens in messages are
   * removed.
   * @throws if the chat template rejects the messages, or the vocabulary cannot express them
   */
  renderChat(messages: readonly Message[]): TokenIds;
}
