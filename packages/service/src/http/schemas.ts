/**
 * JSON Schemas of rows, verdicts and problems for the OpenAPI description. Leaves out: enforcing them, because rows of many
 * shapes are accepted and the row reader gives better error messages.
 */
import { STATUSES } from '@cipo/verifier/types';

const VOID_STATUSES = ['infra_error', 'overloaded', 'undecided', 'bad_task', 'aborted'];

const ROW = {
  type: 'object',
  description:
    'A response and the data to judge it. The columns of verl and of public data sets are accepted; unknown fields are ignored.',
  required: ['response'],
  additionalProperties: true,
  properties: {
    id: { type: ['string', 'integer'], description: 'Returned with the verdict' },
    domain: { type: 'string', description: '`math`, `code` or the name of a plug-in' },
    response: { type: 'string', description: 'The response of the model' },
    answer: { type: ['string', 'number'], description: 'math: the reference answer' },
    question: { type: 'string', description: 'math: the question' },
    options: { type: 'object', description: 'math: how the answer is extracted and compared' },
    language: { enum: ['python', 'javascript', 'typescript'], description: 'code' },
    prompt: {
      description:
        'String or messages. In a code row, a string is code that the response continues',
    },
    setup: { description: 'code: source that runs before the response' },
    tests: {
      type: 'object',
      description: 'code: assert, call or stdio tests',
      properties: { type: { enum: ['assert', 'call', 'stdio'] } },
    },
    limits: {
      type: 'object',
      description: 'code',
      properties: Object.fromEntries(
        ['cpuMs', 'wallMs', 'memoryMb', 'outputChars'].map((name) => [name, { type: 'number' }]),
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
        'operator: may show hidden tests and the reference; must not be shown to the model',
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
    passed: { type: ['boolean', 'null'], description: 'null if the row was not judged' },
    reward: { enum: [1, 0, null], description: 'null if the row was not judged: mask it' },
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

/** A single object, a list, or a list under `rows`. */
function oneOrMany(name: 'Row' | 'Verdict') {
  const many = { type: 'array', items: ref(name) };
  const wrapped = { type: 'object', required: ['rows'], properties: { rows: many } };
  return { anyOf: [ref(name), many, wrapped] };
}

export const BATCH_BODY = {
  required: true,
  content: {
    'application/json': { schema: oneOrMany('Row') },
    'application/x-ndjson': { schema: { type: 'string', description: 'One row per line' } },
  },
};

export const VERDICT_RESPONSES = {
  200: {
    description: 'Verdicts, in the shape and order of the rows',
    content: {
      'application/json': { schema: oneOrMany('Verdict') },
      'application/x-ndjson': { schema: { type: 'string', description: 'One verdict per line' } },
    },
  },
};

export const DIAGNOSTICS_PARAMETER = {
  name: 'diagnostics',
  in: 'query',
  schema: { enum: ['all', 'policy', 'none'] },
  description:
    'Which diagnostics the reply includes. `all` requires a token and is the default with one. `policy`, those that the model may see, is the default without a token.',
};
