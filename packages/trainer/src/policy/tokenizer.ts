/**
 * Text to tokens by Hugging Face's own libraries: tokenizer.json by `@huggingface/tokenizers`, the chat template by
 * `@huggingface/jinja`. Any Hugging Face folder works, the shipped policy is one; and so do GGUF files.
 */
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isGguf, readGgufTokenizer, readJson, writeAtomically } from '@cipo/engine';
import type { Message } from '@cipo/verifier/types';
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import type { TokenIds, Tokenizer } from '../types.ts';
import { chatLayout, templateField } from './chat-template.ts';
import { tokenStream } from './detokenizer.ts';
import { mendAddedTokens, mendDecoder, mendModel, portable } from './tokenizer-fixes.ts';

const [tokenizerFile, configFile, templateFile] = [
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
];
/** Copied beside every checkpoint where they are there. The last holds a model's own sampling defaults. */
const companions = [
  tokenizerFile,
  configFile,
  templateFile,
  'special_tokens_map.json',
  'generation_config.json',
];

const tokenText = z
  .union([z.string(), z.object({ content: z.string() }).transform((t) => t.content)])
  .nullish();
const settings = z.looseObject({
  bos_token: tokenText,
  eos_token: tokenText,
  pad_token: tokenText,
  unk_token: tokenText,
  chat_template: templateField,
});
/** A row of the model; as many as a configuration can have. */
const tokenId = z
  .number()
  .int()
  .nonnegative()
  .max(2 ** 22 - 1);
/** BPE, WordPiece and WordLevel have words with numbers, Unigram pieces with scores. */
const kinds = ['BPE', 'WordPiece', 'WordLevel', 'Unigram'];
const words = z.record(z.string(), tokenId);
const pieces = z
  .array(z.tuple([z.string(), z.number()]))
  .transform((list) => Object.fromEntries(list.map(([piece], id) => [piece, id])));
const vocabulary = z.looseObject({
  model: z.looseObject({
    /** Old files have none; the library then goes by what else is there. */
    type: z
      .enum(kinds, {
        error: ({ input }) =>
          `${JSON.stringify(input)} is not supported; these are: ${kinds.join(', ')}`,
      })
      .nullish(),
    vocab: z.union([words, pieces]),
    unk_token: z.string().nullish(),
  }),
  added_tokens: z
    .array(z.looseObject({ id: tokenId, content: z.string(), special: z.boolean() }))
    .default([]),
});

/** Reads a tokenizer folder. @throws naming the file and what it lacks. */
export function loadTokenizer(directory: string): Tokenizer {
  const [tokenizer, config] = [tokenizerFile, configFile].map((name) =>
    readJson(join(directory, name!)),
  );
  const template = join(directory, templateFile!);
  const own = existsSync(template) ? { chat_template: readFileSync(template, 'utf8') } : {};
  return makeTokenizer(tokenizer, { ...Object(config), ...own }, directory);
}

/** {@link loadTokenizer}, also of a GGUF file. */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  if (!isGguf(path)) return loadTokenizer(path);
  const { tokenizer, config } = await readGgufTokenizer(path);
  return makeTokenizer(tokenizer, config, path);
}

/** Puts the tokenizer of a model beside its weights elsewhere, as a Hugging Face folder has it. */
export async function saveTokenizer(from: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  if (!isGguf(from)) {
    const there = companions.filter((name) => existsSync(join(from, name)));
    await Promise.all(there.map((name) => cp(join(from, name), join(directory, name))));
    return;
  }
  const { tokenizer, config } = await readGgufTokenizer(from);
  await writeAtomically(join(directory, tokenizerFile!), JSON.stringify(tokenizer));
  await writeAtomically(join(directory, configFile!), `${JSON.stringify(config, null, 2)}\n`);
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new Error(`${file}: ${z.prettifyError(result.error)}`);
  return result.data;
}

/** @param name where the two files came from, for messages */
export function makeTokenizer(
  tokenizerJson: unknown,
  configJson: unknown,
  name: string,
): Tokenizer {
  const config = parsed(settings, configJson, `${name}/${configFile}`);
  const { model, added_tokens } = parsed(vocabulary, tokenizerJson, `${name}/${tokenizerFile}`);
  const inner = innerTokenizer(Object(tokenizerJson), Object(configJson), name);
  mendDecoder(inner.decoder);
  mendModel(inner.model, model);
  mendAddedTokens(inner);
  const wordId = (word: string) =>
    Object.hasOwn(model.vocab, word) ? model.vocab[word] : undefined;
  const idOf = (token: string | null | undefined) =>
    token === null || token === undefined
      ? undefined
      : (added_tokens.find((t) => t.content === token)?.id ?? wordId(token));
  const endId = idOf(config.eos_token);
  if (endId === undefined)
    throw new Error(`${name}: eos_token ${config.eos_token} is not in the vocabulary`);
  const unknown = idOf(model.unk_token);
  const specials = added_tokens.filter((t) => t.special).map((t) => t.content);
  const texts = {
    bos: config.bos_token ?? '',
    eos: config.eos_token ?? '',
    pad: config.pad_token ?? '',
    unk: config.unk_token ?? '',
  };
  const layout = chatLayout(config.chat_template, texts, name);

  const encode = (text: string): TokenIds =>
    Int32Array.from(inner.encode(text, { add_special_tokens: false }).ids);
  // Blanks before commas stay: an attempt is shown back as it was written.
  const options = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
  // A model can have more rows than its tokenizer has words (Qwen's are padded), and draw one of those: it has no text.
  const decode = (tokens: ArrayLike<number>): string => {
    const known = Array.from(tokens).filter((id) => inner.id_to_token(id) !== undefined);
    return known.length === 0 ? '' : inner.decode(known, options);
  };
  return {
    vocabSize: highestId(model.vocab, added_tokens) + 1,
    endId,
    padId: idOf(config.pad_token) ?? endId,
    encode,
    decode,
    stream: () => tokenStream(decode),
    renderChat: (messages) => {
      const text = layout(messages.map((m) => withoutSpecials(m, specials)));
      const ids = encode(text);
      const lost = unknown === undefined ? -1 : ids.indexOf(unknown);
      if (lost >= 0)
        throw new UnreadablePrompt(
          messages,
          `token ${lost} of ${JSON.stringify(text.slice(0, 80))}`,
        );
      return ids;
    },
  };
}

function innerTokenizer(tokenizer: object, config: object, name: string): HfTokenizer {
  try {
    return new HfTokenizer(portable({ ...tokenizer }), config);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${name}/${tokenizerFile}: ${reason}`, { cause });
  }
}

function highestId(
  vocab: Readonly<Record<string, number>>,
  added: readonly { readonly id: number }[],
): number {
  let most = -1;
  for (const id of Object.values(vocab)) most = Math.max(most, id);
  for (const { id } of added) most = Math.max(most, id);
  return most;
}

/** The vocabulary cannot write this prompt: a task for another model. */
export class UnreadablePrompt extends Error {
  override readonly name = 'UnreadablePrompt';
  readonly messages: readonly Message[];
  constructor(messages: readonly Message[], where: string) {
    super(`the model's vocabulary has no token for ${where}`);
    this.messages = messages;
  }
}

/**
 * A model's own attempt must not open a turn or end one: control tokens inside content are taken out, again and again,
 * because taking one out can make another of what stood around it.
 */
function withoutSpecials(message: Message, specials: readonly string[]): Message {
  let { content } = message;
  for (let before = ''; before !== content; ) {
    before = content;
    for (const token of specials) content = content.replaceAll(token, '');
  }
  return { ...message, content };
}
