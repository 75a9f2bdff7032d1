/**
 * Corrects differences between `@huggingface/tokenizers` 0.2.0 and Python's `tokenizers` 0.23, so that text becomes the
 * tokens that a model was trained on. They were found with the corpus and the random texts of docs/measurements/models.md, and
 * each has a test. Remove a fix when the library has it.
 */
import { isRecord, type UnknownRecord } from '@cipo/support';

/** GPT-2's pattern. As a Split it uses Unicode's spaces; the library's ByteLevel includes U+FEFF and lacks U+0085. */
const GPT2_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Characters that Python's `tokenizers` counts as part of a word. */
const WORD_CHARACTER = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const ENDS_IN_WORD = new RegExp(`${WORD_CHARACTER}$`, 'u');
const STARTS_WITH_WORD = new RegExp(`^${WORD_CHARACTER}`, 'u');

/**
 * The 256 characters that stand for bytes in byte-level tokenizers: printable bytes themselves, others from U+0100 on.
 */
const BYTE_CHARACTERS = Array.from({ length: 324 }, (_, code) => code)
  .filter((code) => code > 32 && !(code > 126 && code < 161) && code !== 173)
  .map((code) => String.fromCharCode(code));

const REPLACEMENT_CHARACTER = '\ufffd';
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The contents of tokenizer.json, with pre-tokenizers replaced by those that the library runs as Python does. */
export function toSupportedParts(tokenizer: UnknownRecord): UnknownRecord {
  return {
    normalizer: null,
    post_processor: null,
    decoder: null,
    added_tokens: [],
    ...tokenizer,
    pre_tokenizer: supportedPreTokenizer(tokenizer.pre_tokenizer),
  };
}

function supportedPreTokenizer(part: unknown): unknown {
  if (!isRecord(part)) return part ?? null;
  if (part.type === 'Sequence' && Array.isArray(part.pretokenizers)) {
    return { ...part, pretokenizers: part.pretokenizers.map(supportedPreTokenizer) };
  }
  if (part.type === 'ByteLevel' && part.use_regex !== false && part.add_prefix_space === false) {
    return {
      type: 'Sequence',
      pretokenizers: [splitBy(GPT2_PATTERN), { ...part, use_regex: false }],
    };
  }
  // Python's digits are all Unicode numbers (ⅷ, ½), the library's only 0 to 9.
  if (part.type === 'Digits') return splitBy(part.individual_digits ? '\\p{N}' : '\\p{N}+');
  return part;
}

function splitBy(pattern: string): UnknownRecord {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}

/**
 * Corrects two flags of added tokens. A `normalized` token matches and decodes as its normalized text; the library also
 * matches its original text. A `single_word` token does not match beside a word character; the library ignores the
 * flag.
 * Leaves out: a `single_word` token whose only neighbor is another added token.
 */
export function fixAddedTokens(tokenizer: object): void {
  if (!('added_tokens_map' in tokenizer) || !(tokenizer.added_tokens_map instanceof Map)) return;
  const added: Map<string, UnknownRecord> = tokenizer.added_tokens_map;
  fixNormalizedTokens(tokenizer, added);
  fixSingleWordTokens(tokenizer, added);
}

function fixNormalizedTokens(tokenizer: object, added: Map<string, UnknownRecord>): void {
  for (const [text, token] of [...added]) {
    if (text === token.content) continue;
    if (added.get(String(token.content)) === token) added.delete(String(token.content));
    // A special token keeps its text: decoding recognizes it by that to leave it out.
    if (token.special !== true && hasVocab(tokenizer)) {
      tokenizer.model.vocab[Number(token.id)] = text;
    }
  }
}

function fixSingleWordTokens(tokenizer: object, added: ReadonlyMap<string, UnknownRecord>): void {
  if (!added.values().some((token) => token.single_word === true)) return;
  for (const splitter of Object.values(tokenizer).filter(isSplitter)) {
    const split = splitter.split.bind(splitter);
    Object.assign(splitter, { split: (text: string) => mergeSections(split(text), added) });
  }
}

/** The sections of a text, in which single-word tokens beside a word character are merged with the text around them. */
function mergeSections(
  sections: readonly string[],
  added: ReadonlyMap<string, UnknownRecord>,
): string[] {
  const merged: string[] = [];
  let isText = false;
  for (const [i, section] of sections.entries()) {
    const touchesWord =
      ENDS_IN_WORD.test(sections[i - 1] ?? '') || STARTS_WITH_WORD.test(sections[i + 1] ?? '');
    const token = added.get(section);
    const wasText = isText;
    isText = token === undefined || (token.single_word === true && touchesWord);
    if (isText && wasText) merged.push(merged.pop() + section);
    else merged.push(section);
  }
  return merged;
}

/**
 * Removes bytes that the vocabulary lacks (SmolLM2 has no U+0006) before merging, as Python does. The library removes
 * them after merging, when their neighbors can no longer merge.
 */
export function fixModel(
  model: unknown,
  { type, unk_token, byte_fallback, vocab }: UnknownRecord,
): void {
  if (type !== 'BPE' || typeof unk_token === 'string' || byte_fallback === true) return;
  const missing = BYTE_CHARACTERS.filter((character) => !Object.hasOwn(Object(vocab), character));
  const isByteLevel = missing.length < BYTE_CHARACTERS.length;
  if (!isEncoder(model) || missing.length === 0 || !isByteLevel) return;
  const encode = model.encode.bind(model);
  const withoutMissing = (word: string) =>
    missing.reduce((text, character) => text.replaceAll(character, ''), word);
  Object.assign(model, {
    encode: (words: readonly string[]) => encode(words.map(withoutMissing)),
  });
}

/** Makes a decoder, and those inside it, decode bytes as Python does: the library's drops U+FEFF. */
export function fixDecoder(decoder: unknown): void {
  if (typeof decoder !== 'function' && !isRecord(decoder)) return;
  if ('text_decoder' in decoder && isOfType(decoder, 'ByteFallback')) {
    Object.assign(decoder, { decode_chain: decodeByteTokens });
  }
  if ('decoders' in decoder && Array.isArray(decoder.decoders)) {
    decoder.decoders.forEach(fixDecoder);
  }
}

/** Turns runs of byte tokens (`<0xE2>`) into text. A run that is not UTF-8 gives one U+FFFD for each byte. */
function decodeByteTokens(tokens: readonly string[]): string[] {
  const texts: string[] = [];
  let run: number[] = [];
  const flush = () => {
    if (run.length > 0) texts.push(...decodeRun(Uint8Array.from(run)));
    run = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (byte === undefined) {
      flush();
      texts.push(token);
    } else {
      run.push(Number.parseInt(byte, 16));
    }
  }
  flush();
  return texts;
}

function decodeRun(bytes: Uint8Array): string[] {
  try {
    return [STRICT_UTF8.decode(bytes)];
  } catch {
    return Array.from(bytes, () => REPLACEMENT_CHARACTER);
  }
}

function isOfType(part: object, type: string): boolean {
  return 'config' in part && isRecord(part.config) && part.config.type === type;
}

interface Splitter {
  split(text: string): string[];
}

function isSplitter(value: unknown): value is Splitter {
  return isRecord(value) && 'split' in value && typeof value.split === 'function';
}

interface Encoder {
  encode(words: readonly string[]): string[];
}

function isEncoder(model: unknown): model is Encoder {
  return (
    (typeof model === 'function' || isRecord(model)) &&
    'encode' in model &&
    typeof model.encode === 'function'
  );
}

function hasVocab(tokenizer: object): tokenizer is { model: { vocab: string[] } } {
  return (
    'model' in tokenizer &&
    isEncoder(tokenizer.model) &&
    'vocab' in tokenizer.model &&
    Array.isArray(tokenizer.model.vocab)
  );
}
