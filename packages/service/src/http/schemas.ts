/**
 * JSON Schemas of rows, verdicts and problems, for the OpenAPI description. Leaves out: enforcing them. Rows of many
 * shapes are understood, and reading them says what is wrong in better words.
 */
import { STATUSES } from '@cipo/verifier/types';

const VOID_STATUSES = ['infra_error', 'overloaded', 'undecided', 'bad_task', 'aborted'];

const ROW = {
  type: 'object',
  description:
    'A response and what is needed to judge it. Columns of verl and of public data sets are understood as they are; what is not known is left alone.',
  required: ['response'],
  additionalProperties: true,
  properties: {
    id: { type: ['string', 'integer'], description: 'Comes back with the verdict' },
    domain: { type: 'string', description: '`math`, `code` or the name of a plug-in' },
    response: { type: 'string', description: 'What the model wrote' },
    answer: { type: ['string', 'number'], description: 'math: the right answer' },
    question: { type: 'string', description: 'math: what was asked' },
    options: { type: 'object', description: 'math: policies of comparison' },
    language: { enum: ['python', 'javascript', 'typescript'], description: 'code' },
    prompt: { description: 'Text or messages; as text, what the response of a code row continues' },
    setup: { description: 'code: what runs before the response' },
    tests: {
      type: 'object',
      description: 'code: assert, call or stdio tests',
      properties: { type: { enum: ['assert', 'call', 'stdio'] } },
    },
    limits: {
      type: 'object',
      description: 'code',
      properties: Object.fromEntries(
        ['cpuMs', 'wallMs', 'memoryMb', 'outputBytes'].map((name) => [name, { type: 'number' }]),
      ),
    },
  },
};

const DIAGNOSTIC = {
  type: 'object',
  required: ['code', 'audience', 'message'],
  properties: {
    code: { type: 'string' },
    audience: {
      enum: ['policy', 'operator'],
      description:
        'operator: may show hidden tests and the reference, and must not reach the model',
    },
    message: { type: 'string' },
    at: { type: 'object' },
    details: { type: 'object' },
  },
};

const VERDICT = {
  type: 'object',
  required: ['id', 'status', 'passed', 'reward', 'diagnostics', 'cpuMs', 'wallMs'],
  properties: {
    id: { type: 'string' },
    status: { enum: [...STATUSES, ...VOID_STATUSES] },
    passed: { type: ['boolean', 'null'], description: 'null where there is no judgement' },
    reward: { enum: [1, 0, null], description: 'null where there is no judgement: mask it' },
    diagnostics: { type: 'array', items: ref('Diagnostic') },
    cpuMs: { type: 'number' },
    wallMs: { type: 'number' },
  },
};

const PROBLEM = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'requestId'],
      properties: {
        code: { type: 'string' },
        message: { type: 'string' },
        field: { type: 'string' },
        received: { type: 'string' },
        requestId: { type: 'string' },
      },
    },
  },
};

export const SCHEMAS = { Row: ROW, Verdict: VERDICT, Diagnostic: DIAGNOSTIC, Problem: PROBLEM };

/** A reference to one of {@link SCHEMAS}. */
export function ref(name: 'Row' | 'Verdict' | 'Diagnostic' | 'Problem') {
  return { $ref: `#/components/schemas/${name}` };
}

/** One, a list of them, or a list under `rows`. */
function oneOrMany(name: 'Row' | 'Verdict') {
  const many = { type: 'array', items: ref(name) };
  const under = { type: 'object', required: ['rows'], properties: { rows: many } };
  return { anyOf: [ref(name), many, under] };
}

export const BATCH_BODY = {
  required: true,
  content: {
    'application/json': { schema: oneOrMany('Row') },
    'application/x-ndjson': { schema: { type: 'string', description: 'One row a line' } },
  },
};

export const VERDICT_RESPONSES = {
  200: {
    description: 'Verdicts in the shape and order of the rows',
    content: {
      'application/json': { schema: oneOrMany('Verdict') },
      'application/x-ndjson': { schema: { type: 'string', description: 'One verdict a line' } },
    },
  },
};

export const DIAGNOSTICS_PARAMETER = {
  name: 'diagnostics',
  in: 'query',
  schema: { enum: ['all', 'policy', 'none'] },
  description:
    'Which diagnostics to answer with. `all` needs a token and is the default with one; `policy`, what a model may see, is the default without.',
};
