/** The files of a new domain: a small working one, its contract test and sample rows. Leaves out: writing them to disk. */
import { TaskError } from '../types.ts';
import { isDomainName } from './plugin.ts';

const BUILT_IN = ['math', 'code'];

/**
 * Makes the files of a new plug-in domain, as contents by file name. The example task, to write a word backwards, passes
 * the contract; replace it by your own. The test runs with `node --test` on Node 22.18 or newer, without any other package.
 * @param name of the domain: `[a-z][a-z0-9_-]*`, at most 64 characters, neither `math` nor `code`
 * @throws {TaskError} if the name is not allowed
 */
export function createDomainFiles(name: string): Readonly<Record<string, string>> {
  if (!isDomainName(name)) {
    throw new TaskError('name', 'expected a-z, 0-9, - and _, with a letter first', name);
  }
  if (BUILT_IN.includes(name)) throw new TaskError('name', 'is a built-in domain', name);
  return {
    [`${name}.ts`]: domainFile(name),
    [`${name}.test.ts`]: testFile(name),
    'rows.jsonl': ROWS,
    'package.json': packageFile(name),
    'tsconfig.json': TSCONFIG,
    'README.md': readmeFile(name),
  };
}

function domainFile(name: string): string {
  return `/** The domain "${name}". The example task is to write a word backwards: replace it by your own. */
import { type Domain, judged, type Task, TaskError, voided } from '@cipo/verifier/types';

function reverse(word: string): string {
  return [...word].reverse().join('');
}

/** Reads one row. \`reference\` is whatever judging needs; the policy never sees it. */
function parse(row: unknown): Task<string> {
  const word = typeof row === 'object' && row !== null && 'word' in row ? row.word : undefined;
  if (typeof word !== 'string' || !/^[a-z]{2,40}$/.test(word)) {
    throw new TaskError('word', 'expected 2 to 40 lower-case letters', word);
  }
  const content = \`Write this word backwards, as one word: \${word}\`;
  return { id: word, domain: '${name}', prompt: [{ role: 'user', content }], reference: word };
}

const domain: Domain<string> = {
  name: '${name}',
  parse,
  /** Judges one attempt. It must not throw, whatever the text is. */
  verify: async (task, attempt, signal) => {
    if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
    const [answer, ...more] = attempt.text.trim().split(/\\s+/);
    if (answer && more.length === 0) {
      return judged(answer === reverse(task.reference) ? 'accepted' : 'wrong_answer');
    }
    const message = 'Expected one word and nothing else.';
    return judged('unreadable_answer', [
      { code: 'unreadable-answer', audience: 'policy', message },
    ]);
  },
  /** One correct and one incorrect response of a task, for the contract test. */
  known: ({ reference }) => ({ correct: reverse(reference), incorrect: reference + reference }),
};

export default domain;
`;
}

function testFile(name: string): string {
  return `/** The contract of every domain, checked without a model: node --test */
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { domainContract } from '@cipo/verifier/testing';
import domain from './${name}.ts';

const lines = readFileSync(new URL('rows.jsonl', import.meta.url), 'utf8').trim().split('\\n');
const subject = {
  domain,
  rows: lines.map((line): unknown => JSON.parse(line)),
  badRows: [{ row: { word: 'two words' }, field: 'word' }],
};
for (const check of domainContract(subject)) test(check.name, check.run);
`;
}

const ROWS = `{"word": "lantern", "response": "nretnal"}
{"word": "harbour", "response": "ruobrah, I think"}
{"word": "marble", "response": "marble"}
`;

function packageFile(name: string): string {
  const manifest = {
    name: `cipo-${name}`,
    version: '0.1.0',
    private: true,
    type: 'module',
    exports: `./${name}.ts`,
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

const TSCONFIG = `{
  "compilerOptions": {
    "target": "esnext",
    "module": "nodenext",
    "strict": true,
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "skipLibCheck": true,
    "types": ["node"]
  },
  "include": ["*.ts"]
}
`;

function readmeFile(name: string): string {
  return `# ${name}

A domain for CIPO. \`${name}.ts\` reads rows and judges responses, \`${name}.test.ts\` checks it, \`rows.jsonl\` has sample rows.

\`\`\`sh
node --test                                       # the contract test, without a model (Node 22.18 or newer)
npx cipo verify --domain ./${name}.ts rows.jsonl  # a verdict for each response in the rows
npx cipo train --domain ./${name}.ts --model DIR --set tasks.train=rows.jsonl
\`\`\`

An older Node finds no TypeScript test and reports success. In a clone of the CIPO repository \`npx node --test\` runs the
test with Node 24.

\`cipo\` resolves the imports of the \`@cipo\` packages to its own copy. The test and an editor need \`@cipo/verifier\` in
\`node_modules\`: \`cipo domain init\` has linked it there, and \`npx cipo domain link\` does so again after \`npm install\` or
on another machine. Types are checked by \`npx tsc\`, with \`typescript\` and \`@types/node\` installed.
`;
}
