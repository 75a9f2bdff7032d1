/**
 * Where `@huggingface/tokenizers` 0.2.0 differs from Python's `tokenizers` 0.23, and what is done about it, so that text
 * becomes the tokens that a model was trained on. Found on the corpus and the random texts of docs/guide/models.md; each has a
 * test. Goes when the library has them.
 */
type Json = Readonly<Record<string, unknown>>;
const isObject = (x: unknown): x is Json =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

/** GPT-2's words. Given as a Split, whose blanks are Unicode's; the library's own have U+FEFF and lack U+0085. */
const gpt2Words =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const splitAt = (pattern: string) => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});

/** The same tokenizer in parts that the library reads as Python does. */
export function portable(tokenizer: Json): Json {
  return {
    normalizer: null,
    post_processor: null,
    decoder: null,
    added_tokens: [],
    ...tokenizer,
    pre_tokenizer: preTokenizer(tokenizer.pre_tokenizer),
  };
}

function preTokenizer(part: unknown): unknown {
  if (!isObject(part)) return part ?? null;
  if (part.type === 'Sequence' && Array.isArray(part.pretokenizers))
    return { ...part, pretokenizers: part.pretokenizers.map(preTokenizer) };
  if (part.type === 'ByteLevel' && part.use_regex !== false && part.add_prefix_space === false)
    return {
      type: 'Sequence',
      pretokenizers: [splitAt(gpt2Words), { ...part, use_regex: false }],
    };
  // Digits are all numbers to Python (ⅷ, ½), only 0 to 9 to the library.
  if (part.type === 'Digits') return splitAt(part.individual_digits ? '\\p{N}' : '\\p{N}+');
  return part;
}

/**
 * Two flags of added tokens. One that is `normalized` is what the normalizer makes of it, in the text and given back; the
 * library knows it by its own name beside. One that is a `single_word` is none beside a letter; the library passes that
 * over. Left as it is: one whose only neighbour is another added token.
 */
export function mendAddedTokens(tokenizer: object): void {
  if (!('added_tokens_map' in tokenizer) || !(tokenizer.added_tokens_map instanceof Map)) return;
  const added: Map<string, Json> = tokenizer.added_tokens_map;
  for (const [text, token] of [...added]) {
    if (text === token.content) continue;
    if (added.get(String(token.content)) === token) added.delete(String(token.content));
    // A special one keeps its name, by which it is left out of what is decoded.
    if (token.special !== true && hasVocab(tokenizer))
      tokenizer.model.vocab[Number(token.id)] = text;
  }
  if (!added.values().some((token) => token.single_word === true)) return;
  for (const splitter of Object.values(tokenizer).filter(hasSplit)) {
    const split = splitter.split.bind(splitter);
    Object.assign(splitter, { split: (text: string) => joined(split(text), added) });
  }
}

const hasVocab = (x: object): x is { model: { vocab: string[] } } =>
  'model' in x && hasEncode(x.model) && 'vocab' in x.model && Array.isArray(x.model.vocab);

interface Splitter {
  split(text: string): string[];
}
const hasSplit = (x: unknown): x is Splitter =>
  isObject(x) && 'split' in x && typeof x.split === 'function';

/** What Python's `tokenizers` takes for a letter of a word. */
const letter = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const [afterLetter, beforeLetter] = [new RegExp(`${letter}$`, 'u'), new RegExp(`^${letter}`, 'u')];

/** A text's sections, in which tokens that touch a letter and must not are text again, one with the text beside them. */
function joined(sections: readonly string[], added: ReadonlyMap<string, Json>): string[] {
  const out: string[] = [];
  let isText = false;
  for (const [i, section] of sections.entries()) {
    const touches =
      afterLetter.test(sections[i - 1] ?? '') || beforeLetter.test(sections[i + 1] ?? '');
    const token = added.get(section);
    const wasText = isText;
    isText = token === undefined || (token.single_word === true && touches);
    if (isText && wasText) out.push(out.pop() + section);
    else out.push(section);
  }
  return out;
}

/**
 * A byte that is no word of the vocabulary (SmolLM2 has no U+0006) is left out before its neighbours are merged, as
 * Python does it; the library leaves it out afterwards, when they no longer are neighbours.
 */
export function mendModel(model: unknown, { type, unk_token, byte_fallback, vocab }: Json): void {
  if (type !== 'BPE' || typeof unk_token === 'string' || byte_fallback === true) return;
  const missing = byteLetters.filter((letter) => !Object.hasOwn(Object(vocab), letter));
  const isMergeable = hasEncode(model) && missing.length > 0 && missing.length < byteLetters.length;
  if (!isMergeable) return;
  const encode = model.encode.bind(model);
  const without = (word: string) =>
    missing.reduce((text, letter) => text.replaceAll(letter, ''), word);
  Object.assign(model, { encode: (words: readonly string[]) => encode(words.map(without)) });
}

interface Encoder {
  encode(words: readonly string[]): string[];
}
const hasEncode = (model: unknown): model is Encoder =>
  (typeof model === 'function' || isObject(model)) &&
  'encode' in model &&
  typeof model.encode === 'function';

/** The 256 letters that byte-level tokenizers write bytes with: themselves where they can be seen, else U+0100 on. */
const byteLetters = Array.from({ length: 324 }, (_, code) => code)
  .filter((code) => code > 32 && !(code > 126 && code < 161) && code !== 173)
  .map((code) => String.fromCharCode(code));

/** Decodes bytes as Python does, in the decoder given and those inside it: the library's swallows U+FEFF. */
export function mendDecoder(decoder: unknown): void {
  if (typeof decoder !== 'function' && !isObject(decoder)) return;
  if ('text_decoder' in decoder && isOfType(decoder, 'ByteFallback'))
    Object.assign(decoder, { decode_chain: bytesToText });
  if ('decoders' in decoder && Array.isArray(decoder.decoders))
    for (const part of decoder.decoders) mendDecoder(part);
}

const isOfType = (part: object, type: string): boolean =>
  'config' in part && isObject(part.config) && part.config.type === type;

/** `<0xE2>` and its like become text; a run of bytes that is none becomes as many replacement characters. */
function bytesToText(tokens: readonly string[]): string[] {
  const out: string[] = [];
  let run: number[] = [];
  const flush = () => {
    if (run.length > 0) out.push(...decodeRun(Uint8Array.from(run)));
    run = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (byte !== undefined) run.push(Number.parseInt(byte, 16));
    else {
      flush();
      out.push(token);
    }
  }
  flush();
  return out;
}

const strictly = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeRun(bytes: Uint8Array): string[] {
  try {
    return [strictly.decode(bytes)];
  } catch {
    return Array.from(bytes, () => '\ufffd'); // as Python has it: the bytes are no text
  }
}
