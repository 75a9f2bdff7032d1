/**
 * Text to tokens and back: tokenizer.json with `@huggingface/tokenizers`, the chat template with `@huggingface/jinja`.
 * Reads Hugging Face folders and GGUF files.
 */
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isGguf, readGgufTokenizer, readJson, writeAtomically } from '@cipo/engine';
import { errorMessage } from '@cipo/support';
import type { Message } from '@cipo/verifier/types';
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { FileError } from '../errors.ts';
import type { TokenIds, Tokenizer } from '../types.ts';
import { chatLayout, templateField } from './chat-template.ts';
import { tokenStream } from './detokenizer.ts';
import { fixAddedTokens, fixDecoder, fixModel, toSupportedParts } from './tokenizer-fixes.ts';

const TOKENIZER_FILE = 'tokenizer.json';
const CONFIG_FILE = 'tokenizer_config.json';
const TEMPLATE_FILE = 'chat_template.jinja';
/** Files that are copied beside every checkpoint if they exist. The last has the model's own sampling defaults. */
const COPIED_FILES = [
  TOKENIZER_FILE,
  CONFIG_FILE,
  TEMPLATE_FILE,
  'special_tokens_map.json',
  'generation_config.json',
];

/** Characters of a prompt that an error message quotes. */
const QUOTED_CHARS = 80;
/** Largest token id: the engine allows vocabularies up to 2 ** 22. */
const MAX_TOKEN_ID = 2 ** 22 - 1;
/** BPE, WordPiece and WordLevel map words to ids; Unigram lists pieces with scores. */
const MODEL_TYPES = ['BPE', 'WordPiece', 'WordLevel', 'Unigram'];

const tokenText = z
  .union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)])
  .nullish();
const configSchema = z.looseObject({
  bos_token: tokenText,
  eos_token: tokenText,
  pad_token: tokenText,
  unk_token: tokenText,
  chat_template: templateField,
});
const tokenId = z.number().int().nonnegative().max(MAX_TOKEN_ID);
const wordIds = z.record(z.string(), tokenId);
const scoredPieces = z
  .array(z.tuple([z.string(), z.number()]))
  .transform((pieces) => Object.fromEntries(pieces.map(([piece], id) => [piece, id])));
const tokenizerSchema = z.looseObject({
  model: z.looseObject({
    /** Old files have none; the library then infers it from the other fields. */
    type: z
      .enum(MODEL_TYPES, {
        error: ({ input }) =>
          `expected one of ${MODEL_TYPES.join(', ')}, got ${JSON.stringify(input)}`,
      })
      .nullish(),
    vocab: z.union([wordIds, scoredPieces]),
    unk_token: z.string().nullish(),
  }),
  added_tokens: z
    .array(z.looseObject({ id: tokenId, content: z.string(), special: z.boolean() }))
    .default([]),
});

/** A prompt has text that the vocabulary cannot express: the task is for another model. */
export class UnreadablePrompt extends Error {
  override readonly name = 'UnreadablePrompt';
  readonly messages: readonly Message[];

  /** @param isReadable whether the vocabulary can express a text */
  constructor(messages: readonly Message[], isReadable: (text: string) => boolean) {
    const text = messages.map(({ content }) => content).join('\n');
    const character = [...text].find((one) => !isReadable(one));
    const part = character === undefined ? '' : `${JSON.stringify(character)} in `;
    const quoted = JSON.stringify(text.slice(0, QUOTED_CHARS));
    super(
      `the vocabulary of the model cannot write ${part}${quoted}. The shipped warm start knows only its own tasks; for other text give another model`,
    );
    this.messages = messages;
  }
}

/**
 * Reads the tokenizer of a Hugging Face folder.
 * @throws {FileError} naming the file, the field and what is wrong with it; {EngineError} if a file is not JSON
 */
export function loadTokenizer(directory: string): Tokenizer {
  const tokenizer = readJson(join(directory, TOKENIZER_FILE));
  const config = Object(readJson(join(directory, CONFIG_FILE)));
  const templatePath = join(directory, TEMPLATE_FILE);
  const template = existsSync(templatePath)
    ? { chat_template: readFileSync(templatePath, 'utf8') }
    : {};
  return makeTokenizer(tokenizer, { ...config, ...template }, directory);
}

/** Reads the tokenizer of a Hugging Face folder or a GGUF file. @throws as {@link loadTokenizer} */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  if (!isGguf(path)) return loadTokenizer(path);
  const { tokenizer, config } = await readGgufTokenizer(path);
  return makeTokenizer(tokenizer, config, path);
}

/** Writes the tokenizer of the model at `from` into a folder, as files of a Hugging Face folder. */
export async function saveTokenizer(from: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  if (!isGguf(from)) {
    const existing = COPIED_FILES.filter((name) => existsSync(join(from, name)));
    await Promise.all(existing.map((name) => cp(join(from, name), join(directory, name))));
    return;
  }
  const { tokenizer, config } = await readGgufTokenizer(from);
  await writeAtomically(join(directory, TOKENIZER_FILE), JSON.stringify(tokenizer));
  await writeAtomically(join(directory, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`);
}

/**
 * @param tokenizerJson contents of tokenizer.json
 * @param configJson contents of tokenizer_config.json
 * @param name folder or file of both, for error messages
 * @throws {FileError} naming the file, the field and what is wrong with it
 */
export function makeTokenizer(
  tokenizerJson: unknown,
  configJson: unknown,
  name: string,
): Tokenizer {
  const config = parseFile(configSchema, configJson, `${name}/${CONFIG_FILE}`);
  const parsed = parseFile(tokenizerSchema, tokenizerJson, `${name}/${TOKENIZER_FILE}`);
  const { model, added_tokens: addedTokens } = parsed;
  const library = createLibraryTokenizer(Object(tokenizerJson), Object(configJson), name);
  fixDecoder(library.decoder);
  fixModel(library.model, model);
  fixAddedTokens(library);

  const idOf = (token: string | null | undefined): number | undefined => {
    if (token === null || token === undefined) return undefined;
    const added = addedTokens.find(({ content }) => content === token);
    return added?.id ?? (Object.hasOwn(model.vocab, token) ? model.vocab[token] : undefined);
  };
  const endId = idOf(config.eos_token);
  if (endId === undefined) {
    throw new FileError(`${name}: eos_token ${config.eos_token} is not in the vocabulary`);
  }
  const texts = {
    bos: config.bos_token ?? '',
    eos: config.eos_token ?? '',
    pad: config.pad_token ?? '',
    unk: config.unk_token ?? '',
  };
  const layOut = chatLayout(config.chat_template, texts, name);
  const specials = addedTokens.filter(({ special }) => special).map(({ content }) => content);
  const unknownId = idOf(model.unk_token);

  const encode = (text: string): TokenIds =>
    Int32Array.from(library.encode(text, { add_special_tokens: false }).ids);
  const decode = (tokens: ArrayLike<number>): string => decodeKnown(library, tokens);
  return {
    vocabSize: highestId(model.vocab, addedTokens) + 1,
    endId,
    padId: idOf(config.pad_token) ?? endId,
    encode,
    decode,
    stream: () => tokenStream(decode),
    renderChat: (messages) => {
      const text = layOut(messages.map((message) => withoutSpecials(message, specials)));
      const ids = encode(text);
      const isKnown = (tokens: TokenIds) => unknownId === undefined || !tokens.includes(unknownId);
      if (!isKnown(ids)) throw new UnreadablePrompt(messages, (part) => isKnown(encode(part)));
      return ids;
    },
  };
}

function parseFile<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new FileError(`${file}: ${z.prettifyError(result.error)}`);
  return result.data;
}

function createLibraryTokenizer(tokenizer: object, config: object, name: string): HfTokenizer {
  try {
    return new HfTokenizer(toSupportedParts({ ...tokenizer }), config);
  } catch (cause) {
    throw new FileError(`${name}/${TOKENIZER_FILE}: ${errorMessage(cause)}`, { cause });
  }
}

/**
 * A model can have more rows than its tokenizer has tokens (Qwen pads them) and can sample such a row, which has no
 * text. Spaces before punctuation are kept: an attempt is shown again exactly as it was written.
 */
function decodeKnown(library: HfTokenizer, tokens: ArrayLike<number>): string {
  const known = Array.from(tokens).filter((id) => library.id_to_token(id) !== undefined);
  if (known.length === 0) return '';
  return library.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
}

function highestId(
  vocab: Readonly<Record<string, number>>,
  addedTokens: readonly { readonly id: number }[],
): number {
  let highest = -1;
  for (const id of Object.values(vocab)) {
    highest = Math.max(highest, id);
  }
  for (const { id } of addedTokens) {
    highest = Math.max(highest, id);
  }
  return highest;
}

/**
 * Removes control tokens from a message: an attempt must not be able to open or end a turn. Repeats until none is left,
 * because removing one can form another from the text around it.
 */
function withoutSpecials(message: Message, specials: readonly string[]): Message {
  let { content } = message;
  for (let before = ''; before !== content; ) {
    before = content;
    for (const token of specials) {
      content = content.replaceAll(token, '');
    }
  }
  return { ...message, content };
}
