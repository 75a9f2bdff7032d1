/**
 * The tokenizer of the shipped policy, as Hugging Face files: one token for each character and for the few words that
 * the task kinds declare.
 *
 * Layout of the base stream:          <problem>P<answer>
 * Layout of the correction stream:    <attempt>A<note>N<problem>P<answer>
 * The attempt comes first so that problem and answer have the same distance in both streams. With rotary positions a
 * small model then needs no padding and does not learn the task twice.
 */
import { KINDS } from './embedded.ts';

const SPECIALS = [
  '<pad>',
  '<unk>',
  '<end>',
  '<attempt>',
  '<note>',
  '<problem>',
  '<answer>',
] as const;

const CHAT_TEMPLATE = [
  '{%- if messages|length > 1 -%}',
  '<attempt>{{ messages[1].content }}<note>{{ messages[2].content }}',
  '{%- endif -%}',
  '<problem>{{ messages[0].content }}<answer>',
].join('');

/** The contents of the tokenizer's files. */
export interface EmbeddedTokenizer {
  /** tokenizer.json */
  readonly tokenizer: unknown;
  /** tokenizer_config.json */
  readonly config: unknown;
  /** Number of tokens. */
  readonly size: number;
}

/** A tokenizer for every text that the embedded kinds can write. */
export function embeddedTokenizer(): EmbeddedTokenizer {
  const words = [...new Set(Object.values(KINDS).flatMap((kind) => kind.words))];
  const characters = [...new Set(Object.values(KINDS).flatMap((kind) => [...kind.characters]))];
  const tokens = [...SPECIALS, ...words, ...characters];
  const longestFirst = [...words, ...characters].sort((a, b) => b.length - a.length);
  return {
    size: tokens.length,
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: SPECIALS.map(addedToken),
      normalizer: null,
      pre_tokenizer: {
        type: 'Split',
        pattern: { Regex: longestFirst.map(escapeRegex).join('|') },
        behavior: 'Isolated',
        invert: false,
      },
      post_processor: null,
      decoder: { type: 'Fuse' },
      model: {
        type: 'WordLevel',
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        unk_token: '<unk>',
      },
    },
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      pad_token: '<pad>',
      unk_token: '<unk>',
      eos_token: '<end>',
      clean_up_tokenization_spaces: false,
      chat_template: CHAT_TEMPLATE,
    },
  };
}

function addedToken(content: string, id: number): object {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
