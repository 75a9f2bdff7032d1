/**
 * Generates pairs.jsonl from cases.txt: one row per pair in the format of `cipo verify`, with type, label and reason.
 * Run `node datasets/math-equivalence/build.ts` after editing cases.txt.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Group {
  readonly type: string;
  readonly reason: string;
  readonly raw?: boolean;
  readonly question?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

const LABELS: Readonly<Record<string, boolean | null>> = { '=': true, '!': false, '?': null };

/** The rows of the pairs in the text of cases.txt. */
export function rows(source: string): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  let group: Group | undefined;
  for (const line of source.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('@')) group = parseHeader(line);
    else if (group) found.push(parsePair(line, group, found.length));
  }
  return found;
}

function parseHeader(line: string): Group {
  const [type = '', reason = '', extras] = line.slice(1).split(' | ');
  return { type: type.trim(), reason: reason.trim(), ...(extras ? JSON.parse(extras) : {}) };
}

function parsePair(line: string, group: Group, index: number): Record<string, unknown> {
  const mark = line[0] ?? '';
  const [answer = '', given = ''] = line.slice(2).split(/ ;; ?/);
  if (!(mark in LABELS))
    throw new Error(`expected a label =, ! or ? at the start of ${JSON.stringify(line)}`);
  const response = group.raw
    ? given.replaceAll('\\n', '\n').replaceAll('\neq', '\\neq')
    : `\\boxed{${given}}`;
  return {
    id: `math-equivalence/${String(index + 1).padStart(4, '0')}`,
    domain: 'math',
    answer,
    response,
    ...(group.question ? { question: group.question } : {}),
    ...(group.options ? { options: group.options } : {}),
    type: group.type,
    label: LABELS[mark],
    reason: group.reason,
  };
}

if (import.meta.main) {
  const here = (name: string) => new URL(name, import.meta.url);
  const all = rows(readFileSync(here('cases.txt'), 'utf8'));
  writeFileSync(here('pairs.jsonl'), `${all.map((row) => JSON.stringify(row)).join('\n')}\n`);
  process.stdout.write(`${all.length} pairs\n`);
}
