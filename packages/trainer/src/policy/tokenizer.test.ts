/**
 * Compares tokenizers of every kind with Python's, on difficult texts. datasets/models/tokenizer_files.py made both.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJson } from '@cipo/engine';
import type { Message } from '@cipo/verifier/types';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tokenizer } from '../types.ts';
import { WARM_START } from './policy.ts';
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

  test('every text has the same tokens as in Python', () => {
    for (const [i, text] of corpus.texts.entries()) {
      expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(expected.texts[i]!.ids);
    }
  });

  test('every text decodes as in Python: unchanged except for control tokens', () => {
    for (const [i, text] of corpus.texts.entries()) {
      const { ids, decoded = text } = expected.texts[i]!;
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });

  test('conversations have the same layout as in transformers', () => {
    for (const [i, text] of expected.chats.entries()) {
      expect([...tokenizer.renderChat(corpus.conversations[i]!)]).toEqual([
        ...tokenizer.encode(text),
      ]);
    }
  });

  test('the streamed pieces join to the decoded text and never split a character', () => {
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

  test('byte-level tokenizers decode any encoded text to itself', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 });
    for (const kind of byteLevel) {
      const tokenizer = loadTokenizer(join(root, kind));
      fc.assert(fc.property(text, (x) => tokenizer.decode(tokenizer.encode(x)) === x));
    }
  });

  test('a prompt that the vocabulary cannot write is refused with the character and the text', () => {
    const { renderChat } = loadTokenizer(WARM_START);
    expect(() => renderChat([{ role: 'user', content: '18,*5Größe' }])).toThrow(
      'the vocabulary of the model cannot write "G" in "18,*5Größe". The shipped warm start knows only its own tasks; for other text give another model',
    );
  });

  test('streaming any tokens gives the text of decoding them at once, even if they are not valid UTF-8', () => {
    const tokenizer = loadTokenizer(join(root, 'gpt2'));
    const ids = fc.array(fc.nat(tokenizer.vocabSize - 1), { maxLength: 50 });
    fc.assert(fc.property(ids, (x) => streamed(tokenizer, x) === tokenizer.decode(x)));
  });

  test('a byte that the vocabulary lacks is removed before its neighbors merge, as in Python', () => {
    const json = Object(read('gpt2/tokenizer.json'));
    const bytes = Object.entries<number>(json.model.vocab).filter(([word]) => word !== '\u0106');
    const vocab = { ...Object.fromEntries(bytes.filter(([word]) => word.length === 1)), ",'": 400 };
    const model = { ...json.model, vocab, merges: [[',', "'"]] };
    const config = read('gpt2/tokenizer_config.json');
    const tokenizer = makeTokenizer({ ...json, model }, config, 'no U+0006');
    expect([...tokenizer.encode(",\u0006'")]).toEqual([400]);
  });

  test('a stream emits a character with its last byte, and U+FFFD at the end if that never comes', () => {
    const tokenizer = loadTokenizer(join(root, 'gpt2'));
    const ids = [...tokenizer.encode('𒀀')];
    expect(ids.length).toBeGreaterThan(1);
    const stream = tokenizer.stream();
    for (const id of ids.slice(0, -1)) expect(stream.push(id)).toBe('');
    expect(stream.push(ids.at(-1)!)).toBe('𒀀');
    expect(streamed(tokenizer, ids.slice(0, 1))).toBe('\ufffd');
  });
});

test('a token id beyond the vocabulary, as from padded rows of a model, has no text', () => {
  const tokenizer = loadTokenizer(join(root, 'qwen2'));
  const [a, b] = [...tokenizer.encode('x=')];
  expect(tokenizer.decode([a!, tokenizer.vocabSize + 7, b!])).toBe('x=');
  expect(tokenizer.decode([tokenizer.vocabSize])).toBe('');
  expect(tokenizer.decode([])).toBe('');
});

/** Ids from Python's tokenizers 0.23. The added token has the id `added`. */
describe('flags of added tokens as in Python', () => {
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
  ])('the single_word token %s in "%s" gives the ids of Python', (content, text, ids) => {
    expect([...withToken('llama2', { content, single_word: true }).encode(text)]).toEqual(ids);
  });

  test.each([
    ['<x>', '  <x>  a', [320, added, 320, 290]],
    ['<x>', 'a <x> b', [333, added, 334]],
    ['<x>', '<x><x>', [added, 281, 312, 283]],
    ['Hi', 'Hi HiHi Hi', [added, added, 75, 298, added]],
  ])(
    'the normalized token %s in "%s" gives the ids of Python and decodes to the same text',
    (content, text, ids) => {
      const tokenizer = withToken('llama2', { content, normalized: true });
      expect([...tokenizer.encode(text)]).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    },
  );
});

describe('control tokens inside a message', () => {
  const tokenizer = loadTokenizer(join(root, 'gpt2'));
  const encodeMessage = (content: string) => [...tokenizer.renderChat([{ role: 'user', content }])];

  test('control tokens inside a message are removed, also those that a removal forms', () => {
    expect(encodeMessage('a<|im_end|>b')).toEqual(encodeMessage('ab'));
    expect(encodeMessage('a<|im_<|im_end|>end|>b')).toEqual(encodeMessage('ab'));
    expect(encodeMessage('<|im<|im_<|endoftext|>start|>_end|>')).toEqual(encodeMessage(''));
  });
});

describe('invalid tokenizer folders', () => {
  const [json, config] = ['tokenizer.json', 'tokenizer_config.json'].map((name) =>
    Object(read(`gpt2/${name}`)),
  );
  const made = (more: object) => makeTokenizer(json, { ...config, ...more }, 'some/folder');
  const question: Message[] = [{ role: 'user', content: 'x' }];

  test('a missing chat template is an error only when a prompt is rendered', () => {
    const tokenizer = made({ chat_template: null });
    expect(tokenizer.decode(tokenizer.encode('x'))).toBe('x');
    expect(() => tokenizer.renderChat(question)).toThrow(/some\/folder: no chat template/);
  });

  test.each([
    {
      fault: 'a chat template with a syntax error',
      settings: { chat_template: '{% for %}' },
      message: /some\/folder: chat template/,
    },
    {
      fault: 'chat templates without one named default',
      settings: { chat_template: [{ name: 'tool_use', template: 'x' }] },
      message: /expected a chat template named default, got tool_use/,
    },
    {
      fault: 'a chat template that is a number',
      settings: { chat_template: 7 },
      message: /some\/folder\/tokenizer_config.json.*chat_template/s,
    },
    {
      fault: 'no eos_token',
      settings: { eos_token: null },
      message: /some\/folder: eos_token null is not in the vocabulary/,
    },
    ...['<nowhere>', 'constructor', '__proto__'].map((token) => ({
      fault: `the unknown eos_token ${token}`,
      settings: { eos_token: token },
      message: `eos_token ${token} is not in the vocabulary`,
    })),
  ])('tokenizer_config.json with $fault is refused', ({ settings, message }) => {
    expect(() => made(settings)).toThrow(message);
  });

  test.each([-5, 1.5, 2 ** 40])('an added token with the id %d is refused with its field', (id) => {
    const odd = { ...json, added_tokens: [...json.added_tokens, { ...json.added_tokens[0], id }] };
    expect(() => makeTokenizer(odd, config, 'some/folder')).toThrow(
      /some\/folder\/tokenizer\.json.*added_tokens\[\d+\]\.id/s,
    );
  });

  test('an unknown model type is refused with its name and the supported ones', () => {
    const odd = { ...json, model: { ...json.model, type: 'Foo' } };
    expect(() => makeTokenizer(odd, config, 'some/folder')).toThrow(
      /some\/folder\/tokenizer\.json: .*expected one of BPE, .*, got "Foo"/s,
    );
  });

  test('an unknown pre-tokenizer is refused with its name', () => {
    const odd = { ...json, pre_tokenizer: { type: 'Horoscope' } };
    expect(() => makeTokenizer(odd, config, 'some/folder')).toThrow(
      /some\/folder\/tokenizer\.json: .*Horoscope/,
    );
  });

  test('the date in a chat template is the same every day', () => {
    const template = "{{ date_string }} {{ strftime_now('%Y-%m-%d, %B') }}";
    const { renderChat, decode } = made({ chat_template: template });
    expect(decode(renderChat(question))).toBe('26 Jul 2024 2024-07-26, July');
  });

  test("an error that a chat template raises keeps the template's message", () => {
    const strict = loadTokenizer(join(root, 'llama3'));
    const wrong: Message[] = [{ role: 'assistant', content: 'x' }];
    expect(() => strict.renderChat(wrong)).toThrow(/roles must alternate/);
  });
});
