/**
 * Tests as data sets write them, turned into the three native kinds: lists of assertions, `inputs` and
 * `outputs` (APPS, TACO, verl), lists of cases (prime-rl, LiveCodeBench, DeepCoder).
 * Leaves out: checking them, which the code domain does.
 */
import { TaskError } from '../types.ts';
import {
  fromJsonText,
  isRecord,
  isTextList,
  own,
  parseJson,
  type Row,
  typedNumbers,
} from './fields.ts';

/** Native tests, still unchecked. */
export type NativeTests = Row & { readonly type: string };

/** The tests in a value, or undefined where it is no tests (a math reference, say). @throws {TaskError} */
export function testsIn(raw: unknown, field: string): NativeTests | undefined {
  const value = fromJsonText(raw);
  if (typeof value === 'string') return isAssertion(value) ? assertTests(value) : undefined;
  if (isTextList(value)) return value.some(isAssertion) ? assertTests(value.join('\n')) : undefined;
  if (Array.isArray(value)) return value.every(isCase) ? caseTests(value, field) : undefined;
  if (!isRecord(value)) return undefined;
  if (typeof value.type === 'string' && ('cases' in value || 'code' in value)) {
    return { ...(typedNumbers(value) as Row), type: value.type };
  }
  return objectTests(value, field);
}

const isAssertion = (text: string) => /^[ \t]*assert\b/m.test(text);

const assertTests = (code: string): NativeTests => ({ type: 'assert', code });

function objectTests(value: Row, field: string): NativeTests | undefined {
  const asserted = own(value, 'assert_case') ?? own(value, 'asserts');
  if (isTextList(asserted)) return assertTests(asserted.join('\n'));
  const nested = own(value, 'test_cases') ?? own(value, 'tests') ?? own(value, 'unit_tests');
  if (nested !== undefined && nested !== null) return testsIn(nested, `${field}.test_cases`);
  const inputs = own(value, 'inputs') ?? own(value, 'input');
  const outputs = own(value, 'outputs') ?? own(value, 'output');
  if (!Array.isArray(inputs) || !Array.isArray(outputs)) return undefined;
  return pairedTests(inputs, outputs, own(value, 'fn_name'), field);
}

function pairedTests(
  inputs: readonly unknown[],
  outputs: readonly unknown[],
  entry: unknown,
  field: string,
): NativeTests {
  if (inputs.length !== outputs.length) {
    const counts = `has ${inputs.length} inputs and ${outputs.length} outputs`;
    throw new TaskError(field, counts, { inputs: inputs.length, outputs: outputs.length });
  }
  const pairs = inputs.map((input, i) => [input, outputs[i]] as const);
  if (typeof entry !== 'string' || entry === '') return stdioTests(pairs, field);
  return callTests(entry, pairs, field);
}

/** One case of a list: `input` and `output` under one of their names. */
function isCase(value: unknown): value is Row {
  return isRecord(value) && 'input' in value && outputOf(value) !== undefined;
}

const outputOf = (value: Row) => own(value, 'output') ?? own(value, 'expected_output');

function caseTests(cases: readonly unknown[], field: string): NativeTests | undefined {
  const rows = cases.filter(isCase);
  if (rows.length === 0) return undefined;
  const entries = new Set(rows.map(entryOf));
  if (entries.size > 1) {
    throw new TaskError(field, 'mixes tests of different functions', [...entries]);
  }
  const pairs = rows.map((one) => [one.input, outputOf(one)] as const);
  const [entry] = entries;
  return entry === undefined ? stdioTests(pairs, field) : callTests(entry, pairs, field);
}

function entryOf(one: Row): string | undefined {
  const metadata = isRecord(one.metadata) ? one.metadata : undefined;
  const name = own(one, 'fn_name') ?? own(metadata, 'func_name');
  const kind = own(one, 'type') ?? own(one, 'testtype');
  const isStdio = typeof kind === 'string' && /std/i.test(kind);
  return !isStdio && typeof name === 'string' && name !== '' ? name : undefined;
}

type Pair = readonly [input: unknown, output: unknown];

function stdioTests(pairs: readonly Pair[], field: string): NativeTests {
  const cases = pairs.map(([input, output], i) => ({
    input: linesOf(input, `${field}.inputs.${i}`),
    output: linesOf(output, `${field}.outputs.${i}`),
  }));
  return { type: 'stdio', cases };
}

/** Text for a stream; a list of texts is its lines. */
function linesOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (isTextList(value)) return value.join('\n');
  if (Array.isArray(value) && value.length === 0) return '';
  throw new TaskError(field, 'must be text, or a list of lines', value);
}

function callTests(entry: string, pairs: readonly Pair[], field: string): NativeTests {
  const cases = pairs.map(([input, output], i) =>
    typeof input === 'string'
      ? writtenCase(input, output, `${field}.inputs.${i}`)
      : valueCase(input, output, `${field}.inputs.${i}`),
  );
  return { type: 'call', entry, cases };
}

/** verl, LiveCodeBench: one argument in JSON a line, and the result in JSON. */
function writtenCase(input: string, output: unknown, field: string): Row {
  const lines = input.split('\n').filter((line) => line.trim() !== '');
  const args = lines.map((line) => typedNumbers(jsonOf(line, field)));
  return { args, expected: typedNumbers(typeof output === 'string' ? jsonOrText(output) : output) };
}

function jsonOf(text: string, field: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw new TaskError(field, 'must be one argument in JSON a line', text);
  }
}

function jsonOrText(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text; // a result that is a bare text
  }
}

/** APPS, TACO: a list of arguments; the result as it is, or alone in a list. Their own checks take both. */
function valueCase(input: unknown, output: unknown, field: string): Row {
  if (!Array.isArray(input)) throw new TaskError(field, 'must be a list of arguments', input);
  const expected = typedNumbers(output);
  const wrapped = Array.isArray(expected) && expected.length === 1;
  return {
    args: typedNumbers(input),
    expected,
    ...(wrapped ? { alternatives: [expected[0]] } : {}),
  };
}
