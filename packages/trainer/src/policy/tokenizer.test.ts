/** Tokenizers of every kind against Python's, on texts that are hard (datasets/models/tokenizer_files.py made both). */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJson } from '@cipo/engine';
import type { Message } from '@cipo/verifier/types';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tokenizer } from '../types.ts';
import { loadTokenizer, makeTokenizer } from './tokenizer.ts';

const root = fileURLToPath(
  new URL('../../../../datasets/models/fixtures/tokenizers', import.meta.url),
);
const kinds = readdirSync(root).filter((name) => !name.endsWith('.json'));

interface Corpus {
  readonly texts: readonly string[];
  readonly conversations: readonly (readonly Message[])[];
}
interface Expected {
  readonly texts: readonly { readonly ids: readonly number[]; readonly decoded?: string }[];
  readonly chats: readonly string[];
}
const read = (name: string): unknown => readJson(join(root, name));
const corpus = read('corpus.json') as Corpus;
const expectedOf = (kind: string) => read(`${kind}/expected.json`) as Expected;
const streamed = (tokenizer: Tokenizer, ids: readonly number[]): string => {
  const stream = tokenizer.stream();
  return ids.map((id) => stream.push(id)).join('') + stream.end();
};

describe.each(kinds)('%s', (kind) => {
  const tokenizer = loadTokenizer(join(root, kind));
  const expected = expectedOf(kind);

  test("makes Python's tokens of every text", () => {
    for (const [i, text] of corpus.texts.entries())
      expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(expected.texts[i]!.ids);
  });

  test('gives every text back as Python does, which is as it was but for control tokens', () => {
    for (const [i, text] of corpus.texts.entries()) {
      const { ids, decoded = text } = expected.texts[i]!;
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });

  test('lays conversations out as transformers does', () => {
    for (const [i, text] of expected.chats.entries())
      expect([...tokenizer.renderChat(corpus.conversations[i]!)]).toEqual([
        ...tokenizer.encode(text),
      ]);
  });

  test('gives the same text out in pieces, without half characters', () => {
    for (const { ids } of expected.texts) {
      const stream = tokenizer.stream();
      const pieces = [...ids.map((id) => stream.push(id)), stream.end()];
      expect(pieces.join('')).toBe(tokenizer.decode(ids));
      expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
    }
  });
});

describe('byte-level tokenizers', () => {
  const byteLevel = ['gpt2', 'smollm', 'llama3'];

  test('give any text back, whatever is in it', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 });
    for (const kind of byteLevel) {
      const tokenizer = loadTokenizer(join(root, kind));
      fc.assert(fc.property(text, (x) => tokenizer.decode(tokenizer.encode(x)) === x));
    }
  });

  test('stream any tokens to what decoding them at once gives, also where they are no text', () => {
    const tokenizer = loadTokenizer(join(root, 'gpt2'));
    const ids = fc.array(fc.nat(tokenizer.vocabSize - 1), { maxLength: 50 });
    fc.assert(fc.property(ids, (x) => streamed(tokenizer, x) === tokenizer.decode(x)));
  });

  test('leave a byte that they have no word for out, and merge what stood around it, as Python does', () => {
    const json = Object(read('gpt2/tokenizer.json'));
    const bytes = Object.entries<number>(json.model.vocab).filter(([word]) => word !== '\u0106');
    const vocab = { ...Object.fromEntries(bytes.filter(([word]) => word.length === 1)), ",'": 400 };
    const model = { ...json.model, vocab, merges: [[',', "'"]] };
    const config = read('gpt2/tokenizer_config.json');
    const tokenizer = makeTokenizer({ ...json, model }, config, 'no U+0006');
    expect([...tokenizer.encode(",\u0006'")]).toEqual([400]);
  });

  test('hold a character back until its last byte, and end with a mark where it never comes', () => {
    const tokenizer = loadTokenizer(join(root, 'gpt2'));
    const ids = [...tokenizer.encode('𒀀')];
    expect(ids.length).toBeGreaterThan(1);
    const stream = tokenizer.stream();
    for (const id of ids.slice(0, -1)) expect(stream.push(id)).toBe('');
    expect(stream.push(ids.at(-1)!)).toBe('𒀀');
    expect(streamed(tokenizer, ids.slice(0, 1))).toBe('\ufffd');
  });
});

test('tokens that have no word, as of a model with padded rows, have no text', () => {
  const tokenizer = loadTokenizer(join(root, 'qwen2'));
  const [a, b] = [...tokenizer.encode('x=')];
  expect(tokenizer.decode([a!, tokenizer.vocabSize + 7, b!])).toBe('x=');
  expect(tokenizer.decode([tokenizer.vocabSize])).toBe('');
  expect(tokenizer.decode([])).toBe('');
});

/** Numbers as Python's tokenizers 0.23 gives them; the added token's is `added`. */
describe("flags of added tokens are Python's", () => {
  const withToken = (kind: string, token: object) => {
    const json = Object(read(`${kind}/tokenizer.json`));
    const plain = { lstrip: false, rstrip: false, single_word: false, normalized: false };
    const own = { ...plain, special: false, ...token, id: added };
    const all = { ...json, added_tokens: [...json.added_tokens, own] };
    return makeTokenizer(all, read(`${kind}/tokenizer_config.json`), kind);
  };
  const added = 600;

  test.each([
    ['<x>', 'a<x> <x>b', [333, 281, 312, 283, 364, 312, 455]],
    ['<x>', 'é<x>', [318, 198, 172, 281, 312, 283]],
    ['<x>', 'a <x> b', [333, 318, added, 320, 291]],
    ['Hi', 'Hi HiHi Hi', [added, 320, 75, 298, 75, 298, 318, added]],
  ])('a single word %s in "%s"', (content, text, ids) => {
    expect([...withToken('llama2', { content, single_word: true }).encode(text)]).toEqual(ids);
  });

  test.each([
    ['<x>', '  <x>  a', [320, added, 320, 290]],
    ['<x>', 'a <x> b', [333, added, 334]],
    ['<x>', '<x><x>', [added, 281, 312, 283]],
    ['Hi', 'Hi HiHi Hi', [added, added, 75, 298, added]],
  ])('a normalized %s in "%s", which is given back as it was', (content, text, ids) => {
    const tokenizer = withToken('llama2', { content, normalized: true });
    expect([...tokenizer.encode(text)]).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  });
});

describe('control tokens inside a message', () => {
  const tokenizer = loadTokenizer(join(root, 'gpt2'));
  const asked = (content: string) => [...tokenizer.renderChat([{ role: 'user', content }])];

  test('are taken out, also where taking one out makes another', () => {
    expect(asked('a<|im_end|>b')).toEqual(asked('ab'));
    expect(asked('a<|im_<|im_end|>end|>b')).toEqual(asked('ab'));
    expect(asked('<|im<|im_<|endoftext|>start|>_end|>')).toEqual(asked(''));
  });
});

describe('a tokenizer folder that lacks something is refused with its name', () => {
  const [json, config] = ['tokenizer.json', 'tokenizer_config.json'].map((name) =>
    Object(read(`gpt2/${name}`)),
  );
  const made = (more: object) => makeTokenizer(json, { ...config, ...more }, 'some/folder');
  const question: Message[] = [{ role: 'user', content: 'x' }];

  test('a chat template only once it is wanted', () => {
    const tokenizer = made({ chat_template: null });
    expect(tokenizer.decode(tokenizer.encode('x'))).toBe('x');
    expect(() => tokenizer.renderChat(question)).toThrow(/some\/folder: no chat template/);
  });

  test.each([
    [{ chat_template: '{% for %}' }, /some\/folder: chat template/],
    [{ chat_template: [{ name: 'tool_use', template: 'x' }] }, /tool_use, none is named default/],
    [{ eos_token: null }, /some\/folder: eos_token null is not in the vocabulary/],
    [{ eos_token: '<nowhere>' }, /eos_token <nowhere> is not in the vocabulary/],
    [{ eos_token: 'constructor' }, /eos_token constructor is not in the vocabulary/],
    [{ eos_token: '__proto__' }, /eos_token __proto__ is not in the vocabulary/],
    [{ chat_template: 7 }, /some\/folder\/tokenizer_config.json.*chat_template/s],
  ])('%j', (more, words) => {
    expect(() => made(more)).toThrow(words);
  });

  test.each([-5, 1.5, 2 ** 40])('an added token of number %d', (id) => {
    const odd = { ...json, added_tokens: [...json.added_tokens, { ...json.added_tokens[0], id }] };
    expect(() => makeTokenizer(odd, config, 'some/folder')).toThrow(
      /some\/folder\/tokenizer\.json.*added_tokens\[\d+\]\.id/s,
    );
  });

  test('a kind of model that is unknown by its name', () => {
    const odd = { ...json, model: { ...json.model, type: 'Foo' } };
    expect(() => makeTokenizer(odd, config, 'some/folder')).toThrow(
      /some\/folder\/tokenizer\.json: .*"Foo" is not supported; these are: BPE/s,
    );
  });

  test('a part that is unknown by its name', () => {
    const odd = { ...json, pre_tokenizer: { type: 'Horoscope' } };
    expect(() => makeTokenizer(odd, config, 'some/folder')).toThrow(
      /some\/folder\/tokenizer\.json: .*Horoscope/,
    );
  });

  test('the date that a template asks for is the same every day', () => {
    const template = "{{ date_string }} {{ strftime_now('%Y-%m-%d, %B') }}";
    const { renderChat, decode } = made({ chat_template: template });
    expect(decode(renderChat(question))).toBe('26 Jul 2024 2024-07-26, July');
  });

  test("what a template raises is told in the template's words", () => {
    const strict = loadTokenizer(join(root, 'llama3'));
    const wrong: Message[] = [{ role: 'assistant', content: 'x' }];
    expect(() => strict.renderChat(wrong)).toThrow(/roles must alternate/);
  });
});
