/**
 * Converts the tokenizer of a GGUF file to the two files of Hugging Face: `tokenizer.json` and `tokenizer_config.json`.
 * Two kinds: `gpt2` (byte-level BPE with merges; llama.cpp names its pre-tokenizer) and `llama` (SentencePiece BPE,
 * whose merges follow from the scores of its pieces).
 * Leaves out: WordPiece, Unigram and RWKV.
 */

import { EngineError } from '../../errors.ts';
import { numberOf, textOf } from './lookup.ts';
import type { GgufMetadata, GgufValue } from './reader.ts';

/** The contents of `tokenizer.json` and `tokenizer_config.json`. */
export interface TokenizerDefinition {
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Values of `tokenizer.ggml.token_type`. */
const TYPES = { unknown: 2, control: 3, userDefined: 4 } as const;

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
}

/** @throws EngineError `file` naming the metadata that is missing or not supported */
export function ggufTokenizer(metadata: GgufMetadata): TokenizerDefinition {
  const kind = textOf(metadata, 'tokenizer.ggml.model');
  const vocabulary = vocabularyOf(metadata);
  if (kind === 'gpt2') return definition(metadata, vocabulary, byteLevel(metadata, vocabulary));
  if (kind === 'llama')
    return definition(metadata, vocabulary, sentencePiece(metadata, vocabulary));
  throw new EngineError(
    'file',
    `tokenizer.ggml.model "${kind}" is not supported; these are: gpt2, llama`,
  );
}

function vocabularyOf(metadata: GgufMetadata): Vocabulary {
  const tokens = list(metadata, 'tokenizer.ggml.tokens', isText);
  const found = metadata.has('tokenizer.ggml.token_type')
    ? list(metadata, 'tokenizer.ggml.token_type', isNumber)
    : tokens.map(() => 1);
  if (found.length !== tokens.length)
    throw new EngineError(
      'file',
      `tokenizer.ggml: ${tokens.length} tokens, ${found.length} token types`,
    );
  return { tokens, types: found };
}

function isText(x: GgufValue): x is string {
  return typeof x === 'string';
}
function isNumber(x: GgufValue): x is number {
  return typeof x === 'number';
}

function list<T extends GgufValue>(
  metadata: GgufMetadata,
  key: string,
  is: (x: GgufValue) => x is T,
): readonly T[] {
  const value = metadata.get(key);
  if (!Array.isArray(value) || !value.every(is))
    throw new EngineError(
      'file',
      `metadata "${key}" is ${value === undefined ? 'missing' : 'not a list of the expected type'}`,
    );
  return value;
}

function definition(
  metadata: GgufMetadata,
  { tokens, types: kinds }: Vocabulary,
  parts: Readonly<Record<string, unknown>>,
): TokenizerDefinition {
  const named = (key: string) => {
    const id = numberOf(metadata, `tokenizer.ggml.${key}_token_id`);
    return id === undefined ? undefined : tokens[id];
  };
  const [bos, eos, unk, pad] = ['bos', 'eos', 'unknown', 'padding'].map(named);
  const addsBos = metadata.get('tokenizer.ggml.add_bos_token') === true && bos !== undefined;
  const template = textOf(metadata, 'tokenizer.chat_template');
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(tokens, kinds),
      post_processor: addsBos ? beginsWith(bos, tokens.indexOf(bos)) : null,
      ...parts,
    },
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      ...(bos !== undefined && { bos_token: bos }),
      ...(eos !== undefined && { eos_token: eos }),
      ...(unk !== undefined && { unk_token: unk }),
      ...(pad !== undefined && { pad_token: pad }),
      ...(template !== undefined && { chat_template: template }),
    },
  };
}

function isAdded(type: number) {
  return type === TYPES.unknown || type === TYPES.control || type === TYPES.userDefined;
}

function addedTokens(tokens: readonly string[], kinds: readonly number[]) {
  return tokens.flatMap((content, id) =>
    isAdded(kinds[id]!)
      ? [
          {
            id,
            content,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: kinds[id] !== TYPES.userDefined,
          },
        ]
      : [],
  );
}

/** Puts the first token before every text, if special tokens are requested. */
function beginsWith(token: string, id: number) {
  return {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: token, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [
      { SpecialToken: { id: token, type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: token, type_id: 1 } },
      { Sequence: { id: 'B', type_id: 1 } },
    ],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

/**
 * Control tokens are in the vocabulary too: `tokenizers` in Python would give an added token that is not in it a new
 * id. No merge makes one out of text, because their pieces do not merge.
 */
function wordsOf({ tokens }: Vocabulary): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

function byteLevelPart(use_regex: boolean) {
  return {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex,
  };
}
function splitBefore(pattern: string) {
  return {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
      byteLevelPart(false),
    ],
  };
}
function words(digits: string) {
  return `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
}

const GPT2 = { pre_tokenizer: byteLevelPart(true) };
const LLAMA3 = { pre_tokenizer: splitBefore(words('\\p{N}{1,3}')), ignoresMerges: true };
const QWEN2 = { pre_tokenizer: splitBefore(words('\\p{N}')), normalizer: { type: 'NFC' } };
const SMOLLM = {
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevelPart(true)],
  },
};

interface Splitting {
  readonly pre_tokenizer: object;
  readonly normalizer?: object;
  readonly ignoresMerges?: boolean;
}
/** By the name in llama.cpp (`tokenizer.ggml.pre`). */
const SPLITTINGS: Readonly<Record<string, Splitting>> = {
  'gpt-2': GPT2,
  default: GPT2,
  smollm: SMOLLM,
  'llama-bpe': LLAMA3,
  'llama-v3': LLAMA3,
  llama3: LLAMA3,
  qwen2: QWEN2,
  'deepseek-r1-qwen': QWEN2,
};

function byteLevel(metadata: GgufMetadata, vocabulary: Vocabulary) {
  const name = textOf(metadata, 'tokenizer.ggml.pre') ?? 'default';
  const splitting = SPLITTINGS[name];
  if (!splitting)
    throw new EngineError(
      'file',
      `tokenizer.ggml.pre "${name}" is not supported; these are: ${Object.keys(SPLITTINGS).join(', ')}`,
    );
  const merges = list(metadata, 'tokenizer.ggml.merges', isText).map((merge) => {
    const at = merge.indexOf(' ', 1);
    return [merge.slice(0, at), merge.slice(at + 1)];
  });
  return {
    normalizer: splitting.normalizer ?? null,
    pre_tokenizer: splitting.pre_tokenizer,
    decoder: byteLevelPart(true),
    model: bpe(wordsOf(vocabulary), merges, { ignore_merges: splitting.ignoresMerges ?? false }),
  };
}

function bpe(vocab: object, merges: readonly (readonly string[])[], more: object) {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    ...more,
    vocab,
    merges,
  };
}

function sentencePiece(metadata: GgufMetadata, vocabulary: Vocabulary) {
  const scores = list(metadata, 'tokenizer.ggml.scores', isNumber);
  if (scores.length !== vocabulary.tokens.length)
    throw new EngineError(
      'file',
      `tokenizer.ggml: ${vocabulary.tokens.length} tokens, ${scores.length} scores`,
    );
  const prefix = metadata.get('tokenizer.ggml.add_space_prefix') !== false;
  const unk = vocabulary.tokens[numberOf(metadata, 'tokenizer.ggml.unknown_token_id') ?? 0];
  const blanks = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const decoders = [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  ];
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [...(prefix ? [{ type: 'Prepend', prepend: '▁' }] : []), blanks],
    },
    pre_tokenizer: null,
    decoder: { type: 'Sequence', decoders },
    model: bpe(wordsOf(vocabulary), mergesOf(vocabulary, scores), {
      unk_token: unk,
      fuse_unk: true,
      byte_fallback: true,
    }),
  };
}

/**
 * Maximum characters compared in all: splitting a piece takes the square of its length. Real vocabularies take a
 * hundredth of it.
 */
const MOST_CUTTING = 2 ** 28;

/**
 * SentencePiece merges the neighbors whose union has the best score. As ordered merges: every split of a piece into
 * two pieces, best pieces first; for one piece, longer left sides first (as in the converter of transformers).
 */
function mergesOf({ tokens, types: kinds }: Vocabulary, scores: readonly number[]): string[][] {
  const ids = new Map(tokens.flatMap((token, id) => (isAdded(kinds[id]!) ? [] : [[token, id]])));
  const cuts: { left: string; right: string; score: number; order: number }[] = [];
  let cutting = 0;
  for (const [piece, id] of ids) {
    cutting += piece.length ** 2;
    if (cutting > MOST_CUTTING)
      throw new EngineError(
        'file',
        `metadata "tokenizer.ggml.tokens": its pieces are too long to split; piece ${id} has ${piece.length} letters`,
      );
    const characters = Array.from(piece);
    for (let i = 1; i < characters.length; i++) {
      const [left, right] = [characters.slice(0, i).join(''), characters.slice(i).join('')];
      if (ids.has(left) && ids.has(right)) cuts.push({ left, right, score: scores[id]!, order: i });
    }
  }
  cuts.sort((a, b) => b.score - a.score || b.order - a.order);
  return cuts.map(({ left, right }) => [left, right]);
}
