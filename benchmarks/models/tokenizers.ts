/**
 * Encodes and decodes random texts and compares with `tokenizers` in Python: how many differ. The texts are drawn from
 * alphabets that are difficult in different ways. Usage: node benchmarks/models/tokenizers.ts [TEXTS per alphabet]
 * [FOLDER of a model ...]
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hash32 } from '../../packages/engine/src/sampling/random.ts';
import { loadTokenizer } from '../../packages/trainer/src/policy/tokenizer.ts';
import { printTable } from '../engine/common.ts';
import { Peer } from '../engine/peer.ts';

const [count = '300', ...more] = process.argv.slice(2);
const fixtures = fileURLToPath(
  new URL('../../datasets/models/fixtures/tokenizers', import.meta.url),
);
const folders = readdirSync(fixtures)
  .filter((name) => !name.endsWith('.json'))
  .map((name) => join(fixtures, name));

function range(from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => String.fromCodePoint(from + i));
}
const blanks = [
  ' ',
  '  ',
  '\n',
  '\t',
  '\r\n',
  '\u0085',
  '\u00a0',
  '\u2003',
  '\u2028',
  '\u3000',
  '\ufeff',
];
const words = [
  'the',
  "it's",
  "don't",
  'Answer',
  '\\frac{',
  '}',
  '42',
  '1234',
  'x_1',
  '::',
  'été',
  "'S",
];
const alphabets: Readonly<Record<string, readonly string[]>> = {
  ASCII: range(0, 128),
  'words and blanks': [...words, ...blanks, ' ', ' ', ' '],
  Latin: [...range(0xa0, 0x250), ...range(0x300, 0x340), ' ', "'"],
  'CJK and kana': [...range(0x3000, 0x3100), ...range(0x4e00, 0x4f00), ...range(0xac00, 0xac80)],
  emoji: [
    ...range(0x1f300, 0x1f400),
    ...range(0x1f3fb, 0x1f400),
    '\u200d',
    '\ufe0f',
    '\u20e3',
    ' ',
  ],
  'numbers of all scripts': [
    ...range(0xbc, 0xbf),
    ...range(0x660, 0x66a),
    ...range(0x2160, 0x2180),
    '1',
    '2',
    ' ',
  ],
  // Excludes characters that a newer Unicode version than Python's may have added.
  'all planes': [
    ...range(1, 0x250),
    ...range(0x370, 0x378),
    ...range(0x400, 0x500),
    ...range(0x10000, 0x1000c),
    ...range(0x12000, 0x12050),
    ...range(0xe000, 0xe010),
  ],
};

/** The i-th text of an alphabet: up to 40 pieces of it. */
function textOf(pieces: readonly string[], seed: number): string {
  const length = 1 + (hash32(seed, 0) % 40);
  return Array.from({ length }, (_, i) => pieces[hash32(seed, i + 1) % pieces.length]).join('');
}

const peer = new Peer('./peer_models.py', 1);
const rows: string[][] = [];
for (const folder of [...folders, ...more]) {
  const tokenizer = loadTokenizer(folder);
  const row = [basename(folder)];
  for (const [name, pieces] of Object.entries(alphabets)) {
    const texts = Array.from({ length: Number(count) }, (_, i) =>
      textOf(pieces, hash32(i, name.length)),
    );
    const found = await peer.ask<{ ids: number[][]; texts: string[] }>({
      do: 'encode',
      tokenizer: folder,
      texts,
    });
    const wrong = texts.filter((text, i) => {
      const ids = [...tokenizer.encode(text)];
      const same = ids.join() === found.ids[i]!.join() && tokenizer.decode(ids) === found.texts[i];
      if (!same && process.env.SHOW) console.log(name, JSON.stringify(text), ids, found.ids[i]);
      return !same;
    });
    row.push(`${wrong.length}`);
  }
  rows.push(row);
}
peer.close();
printTable([`of ${count} texts differ`, ...Object.keys(alphabets)], rows);
