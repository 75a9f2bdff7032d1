/** Tokenizers read from GGUF, compared with tokenizer.json and SentencePiece (datasets/models/gguf_files.py). */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJson } from '@cipo/engine';
import { expect, test } from 'vitest';
import { loadTokenizer, openTokenizer } from './tokenizer.ts';

const root = fileURLToPath(new URL('../../../../datasets/models/fixtures', import.meta.url));
const at = (...path: string[]) => join(root, ...path);
const corpus = Object(readJson(at('tokenizers', 'corpus.json')));

test.each(['gpt2', 'smollm', 'llama3', 'qwen2'])(
  'the tokenizer of %s is the same from GGUF as from tokenizer.json',
  async (name) => {
    const found = await openTokenizer(at('gguf', `tokenizer-${name}.gguf`));
    const expected = loadTokenizer(at('tokenizers', name));
    for (const text of corpus.texts) {
      const ids = expected.encode(text);
      expect(found.encode(text), text).toEqual(ids);
      expect(found.decode(ids)).toBe(expected.decode(ids));
    }
    const { vocabSize, endId, padId } = expected;
    expect(found).toMatchObject({ vocabSize, endId, padId });
    if (name !== 'llama3') {
      expect(found.renderChat(corpus.conversations[1])).toEqual(
        expected.renderChat(corpus.conversations[1]),
      );
    }
  },
);

test('a llama tokenizer from GGUF cuts text as SentencePiece does', async () => {
  const tokenizer = await openTokenizer(at('gguf', 'tokenizer-llama.gguf'));
  for (const { text, ids } of Object(readJson(at('gguf', 'tokenizer-llama.json')))) {
    expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(ids);
    // SentencePiece's sign for a space decodes to a space, even if the text had the sign itself.
    expect(tokenizer.decode(ids)).toBe(text.replaceAll('▁', ' '));
  }
});
