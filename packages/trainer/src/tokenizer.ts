/**
 * Text to tokens by Hugging Face's own libraries: tokenizer.json by `@huggingface/tokenizers`, the chat template by
 * `@huggingface/jinja`. Any Hugging Face folder works; the shipped policy is one.
 */
import { join } from 'node:path';
import type { Message } from '@cipo/verifier/types';
import { Template } from '@huggingface/jinja';
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { readJson } from './json.ts';
import type { TokenIds, Tokenizer } from './types.ts';

/** Files that make a tokenizer; copied beside every checkpoint. */
export const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;

const tokenText = z.union([
  z.string(),
  z.object({ content: z.string() }).transform((t) => t.content),
]);
const settings = z.looseObject({
  eos_token: tokenText,
  pad_token: tokenText.optional(),
  unk_token: tokenText.optional(),
  chat_template: z.string(),
});
const vocabulary = z.looseObject({
  model: z.looseObject({ vocab: z.record(z.string(), z.number()) }),
  added_tokens: z
    .array(z.looseObject({ id: z.number(), content: z.string(), special: z.boolean() }))
    .default([]),
});

/** Reads a tokenizer folder. @throws naming the file and what it lacks. */
export function loadTokenizer(directory: string): Tokenizer {
  const [tokenizerJson, configJson] = TOKENIZER_FILES.map((name) =>
    readJson(join(directory, name)),
  );
  return makeTokenizer(tokenizerJson, configJson, directory);
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
  const config = parsed(settings, configJson, `${name}/tokenizer_config.json`);
  const { model, added_tokens } = parsed(vocabulary, tokenizerJson, `${name}/tokenizer.json`);
  const inner = new HfTokenizer(Object(tokenizerJson), Object(configJson));
  const template = new Template(config.chat_template);
  const idOf = (token: string) =>
    added_tokens.find((t) => t.content === token)?.id ?? model.vocab[token];
  const endId = idOf(config.eos_token);
  if (endId === undefined)
    throw new Error(`${name}: eos_token ${config.eos_token} is not in the vocabulary`);
  const unknown = config.unk_token === undefined ? undefined : idOf(config.unk_token);
  const specials = added_tokens.filter((t) => t.special).map((t) => t.content);

  const encode = (text: string): TokenIds =>
    Int32Array.from(inner.encode(text, { add_special_tokens: false }).ids);
  return {
    vocabSize: Math.max(...Object.values(model.vocab), ...added_tokens.map((t) => t.id)) + 1,
    endId,
    padId: (config.pad_token === undefined ? undefined : idOf(config.pad_token)) ?? endId,
    encode,
    decode: (tokens) => inner.decode(Array.from(tokens), { skip_special_tokens: true }),
    renderChat: (messages) => {
      const text = template.render({
        messages: messages.map((m) => ({ ...m, content: withoutSpecials(m.content, specials) })),
        add_generation_prompt: true,
        bos_token: '',
        eos_token: config.eos_token,
      });
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

/** The vocabulary cannot write this prompt: a task for another model. */
export class UnreadablePrompt extends Error {
  override readonly name = 'UnreadablePrompt';
  readonly messages: readonly Message[];
  constructor(messages: readonly Message[], where: string) {
    super(`the model's vocabulary has no token for ${where}`);
    this.messages = messages;
  }
}

/** A model's own attempt must not open a turn or end one: control tokens inside content are text of no effect. */
function withoutSpecials(content: string, specials: readonly string[]): string {
  return specials.reduce((text, token) => text.replaceAll(token, ''), content);
}
