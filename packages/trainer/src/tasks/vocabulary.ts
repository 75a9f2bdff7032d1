/**
 * The shipped policy's tokenizer, as Hugging Face files: characters, and a few words that the task kinds write whole.
 *
 * Layout of both streams:        <problem>P<answer>
 * and of a correction:  <attempt>A<note>N<problem>P<answer>
 * The attempt comes first, so that problem and answer stand as far apart as in the base stream: with rotary positions
 * a small model then needs no padding and does not learn the skill twice (docs/log.md, "one layout").
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

const escapeRegex = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

/** tokenizer.json and tokenizer_config.json for every text the embedded kinds can write. */
export function embeddedTokenizer(): {
  readonly tokenizer: unknown;
  readonly config: unknown;
  readonly size: number;
} {
  const words = [...new Set(Object.values(KINDS).flatMap((k) => k.words))];
  const characters = [...new Set(Object.values(KINDS).flatMap((k) => [...k.characters]))];
  const tokens = [...SPECIALS, ...words, ...characters];
  const longestFirst = [...words, ...characters].sort((a, b) => b.length - a.length);
  return {
    size: tokens.length,
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: SPECIALS.map((content, id) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
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
        vocab: Object.fromEntries(tokens.map((t, i) => [t, i])),
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
