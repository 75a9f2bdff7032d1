/**
 * Turns the tests of data sets into the three native kinds. Reads lists of assertions, `inputs` and `outputs` (APPS, TACO,
 * verl), and lists of cases (prime-rl, LiveCodeBench, DeepCoder).
 * Leaves out: checking them, which the code domain does.
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { TaskError } from '../types.ts';
import { fromJsonText, isTextList, own, parseJson, typedNumbers } from './fields.ts';

/** Native tests, not yet checked. */
export type NativeTests = UnknownRecord & { readonly type: string };

/**
 * Reads a value as tests.
 * @returns undefined if the value is something else, for example a math reference
 * @throws {TaskError} if it is tests, but malformed
 */
export function testsIn(raw: unknown, field: string): NativeTests | undefined {
  const value = fromJsonText(raw);
  if (typeof value === 'string') return isAssertion(value) ? assertTests(value) : undefined;
  if (isTextList(value)) return value.some(isAssertion) ? assertTests(value.join('\n')) : undefined;
  if (Array.isArray(value)) return value.every(isCase) ? caseTests(value, field) : undefined;
  if (!isRecord(value)) return undefined;
  if (typeof value.type === 'string' && ('cases' in value || 'code' in value)) {
    const typed = typedNumbers(value);
    return { ...(isRecord(typed) ? typed : {}), type: value.type };
  }
  return objectTests(value, field);
}

function isAssertion(text: string): boolean {
  return /^[ \t]*assert\b/m.test(text);
}

function assertTests(code: string): NativeTests {
  return { type: 'assert', code };
}

function objectTests(value: UnknownRecord, field: string): NativeTests | undefined {
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
    const counts = `expected as many outputs as inputs, got ${inputs.length} inputs and ${outputs.length} outputs`;
    throw new TaskError(field, counts, { inputs: inputs.length, outputs: outputs.length });
  }
  const pairs = inputs.map((input, i) => [input, outputs[i]] as const);
  if (typeof entry !== 'string' || entry === '') return stdioTests(pairs, field);
  return callTests(entry, pairs, field);
}

/** Whether a list element is a test case: `input` and a form of `output`. */
function isCase(value: unknown): value is UnknownRecord {
  return isRecord(value) && 'input' in value && outputOf(value) !== undefined;
}

function outputOf(value: UnknownRecord): unknown {
  return own(value, 'output') ?? own(value, 'expected_output');
}

function caseTests(cases: readonly unknown[], field: string): NativeTests | undefined {
  const rows = cases.filter(isCase);
  if (rows.length === 0) return undefined;
  const entries = new Set(rows.map(entryOf));
  if (entries.size > 1) {
    throw new TaskError(field, 'expected tests of one function, got several', [...entries]);
  }
  const pairs = rows.map((one) => [one.input, outputOf(one)] as const);
  const [entry] = entries;
  return entry === undefined ? stdioTests(pairs, field) : callTests(entry, pairs, field);
}

function entryOf(one: UnknownRecord): string | undefined {
  const metadata = isRecord(one.metadata) ? one.metadata : undefined;
  const name = own(one, 'fn_name') ?? own(metadata, 'func_name');
  const kind = own(one, 'type') ?? own(one, 'testtype');
  const isStdio = typeof kind === 'string' && /std/i.test(kind);
  return !isStdio && typeof name === 'string' && name !== '' ? name : undefined;
}

type Pair = readonly [input: unknown, output: unknown];

function stdioTests(pairs: readonly Pair[], field: string): NativeTests {
  const cases = pairs.map(([input, output], i) => ({
    input: toStreamText(input, `${field}.inputs.${i}`),
    output: toStreamText(output, `${field}.outputs.${i}`),
  }));
  return { type: 'stdio', cases };
}

/** The text of an input or output stream. A list of strings is its lines. */
function toStreamText(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (isTextList(value)) return value.join('\n');
  if (Array.isArray(value) && value.length === 0) return '';
  throw new TaskError(field, 'expected text or a list of lines', value);
}

function callTests(entry: string, pairs: readonly Pair[], field: string): NativeTests {
  const cases = pairs.map(([input, output], i) =>
    typeof input === 'string'
      ? jsonLinesCase(input, output, `${field}.inputs.${i}`)
      : valueCase(input, output, `${field}.inputs.${i}`),
  );
  return { type: 'call', entry, cases };
}

/** Format of verl and LiveCodeBench: one line of JSON per argument, and the result as JSON. */
function jsonLinesCase(input: string, output: unknown, field: string): UnknownRecord {
  const lines = input.split('\n').filter((line) => line.trim() !== '');
  const args = lines.map((line) => typedNumbers(parseArgument(line, field)));
  return { args, expected: typedNumbers(typeof output === 'string' ? jsonOrText(output) : output) };
}

function parseArgument(text: string, field: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw new TaskError(field, 'expected one line of JSON per argument', text);
  }
}

function jsonOrText(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text; // a result that is plain text
  }
}

/** Format of APPS and TACO: a list of arguments, and the result, possibly in a list of one. Their checkers accept both. */
function valueCase(input: unknown, output: unknown, field: string): UnknownRecord {
  if (!Array.isArray(input)) throw new TaskError(field, 'expected a list of arguments', input);
  const expected = typedNumbers(output);
  const wrapped = Array.isArray(expected) && expected.length === 1;
  return {
    args: typedNumbers(input),
    expected,
    ...(wrapped ? { alternatives: [expected[0]] } : {}),
  };
}
