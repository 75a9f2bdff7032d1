/**
 * Generates easy arithmetic stories of one or two steps with integers up to 25. Each prompt has three worked examples, so
 * that a small model knows the form of an answer. Writes train.jsonl and held-out.jsonl beside this file, always the same
 * bytes; no story is in both.
 *
 *   node datasets/arithmetic-in-words/build.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRng } from '../../packages/trainer/src/rng.ts';

interface Story {
  readonly kind: string;
  readonly question: string;
  readonly answer: number;
}

const rng = createRng('arithmetic-in-words');
const NAMES = ['Ann', 'Ben', 'Carla', 'Dan', 'Eva', 'Finn', 'Grace', 'Hugo', 'Ida', 'Jack'];
const THINGS = ['apples', 'books', 'marbles', 'stamps', 'pencils', 'shells', 'coins', 'cards'];

const KINDS: readonly ((name: string, thing: string) => Story)[] = [
  (name, thing) => {
    const [a, b] = [rng.int(2, 12), rng.int(2, 9)];
    const question = `${name} has ${a} ${thing} and gets ${b} more. How many does ${name} have now?`;
    return { kind: 'plus', question, answer: a + b };
  },
  (name, thing) => {
    const a = rng.int(5, 15);
    const b = rng.int(2, a - 2);
    const question = `${name} has ${a} ${thing} and gives ${b} away. How many does ${name} have now?`;
    return { kind: 'minus', question, answer: a - b };
  },
  (name, thing) => {
    const [a, b] = [rng.int(2, 5), rng.int(2, 5)];
    const question = `${name} has ${a} boxes of ${b} ${thing}. How many does ${name} have?`;
    return { kind: 'times', question, answer: a * b };
  },
  (name, thing) => {
    const [a, b] = [rng.int(2, 9), rng.int(2, 9)];
    const c = rng.int(1, a);
    const question = `${name} has ${a} ${thing}, finds ${b} more and loses ${c}. How many does ${name} have now?`;
    return { kind: 'plus, minus', question, answer: a + b - c };
  },
];

const EXAMPLES: readonly (readonly [question: string, answer: string])[] = [
  ['Lena has 6 plums and gets 3 more. How many does Lena have now?', '6 + 3 = 9. The answer is 9.'],
  ['Otto has 9 keys and gives 5 away. How many does Otto have now?', '9 - 5 = 4. The answer is 4.'],
  ['Rosa has 3 boxes of 4 pears. How many does Rosa have?', '3 * 4 = 12. The answer is 12.'],
];
const SHOWN = [
  { role: 'system', content: 'Answer as in the examples.' },
  ...EXAMPLES.flatMap(([question, answer]) => [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ]),
];

const COUNTS = { train: 320, 'held-out': 80 };
const seen = new Set<string>();

for (const [name, count] of Object.entries(COUNTS)) {
  const rows: string[] = [];
  while (rows.length < count) {
    const { kind, question, answer } = KINDS[rows.length % KINDS.length]!(
      rng.pick(NAMES),
      rng.pick(THINGS),
    );
    if (seen.has(question)) continue;
    seen.add(question);
    rows.push(
      JSON.stringify({
        id: `${name}-${rows.length + 1}`,
        domain: 'math',
        kind,
        prompt: [...SHOWN, { role: 'user', content: question }],
        answer: String(answer),
        options: { extraction: 'any' },
      }),
    );
  }
  writeFileSync(join(import.meta.dirname, `${name}.jsonl`), `${rows.join('\n')}\n`);
}
