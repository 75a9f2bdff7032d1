/** Math rows of data sets and trainers as native ones. Leaves out: reading the answer, which the math domain does. */
import { TaskError } from '../types.ts';
import { container, references } from './containers.ts';
import { firstOf, fromJsonText, own, type Row, single } from './fields.ts';

/** The native fields of a math row. @throws {TaskError} where there is no reference, or more than one */
export function mathFields(row: Row): Row {
  const [first] = references(row);
  if (!first) {
    const problem =
      'is missing: a math row needs answer, ground_truth, final_answer, expected_answer, solution, or one of them in reward_model, info or verification_info';
    throw new TaskError('answer', problem, own(row, 'answer'));
  }
  const question = questionOf(row);
  return {
    answer: answerOf(first.value, first.field),
    ...(question === undefined ? {} : { question }),
  };
}

/** Some sets write the one answer as a list, or as the JSON text of a list: `["34"]`. */
function answerOf(value: unknown, field: string): unknown {
  const list = typeof value === 'string' && /^\s*\["/.test(value) ? fromJsonText(value) : value;
  return single(list, field, 'answers');
}

function questionOf(row: Row): unknown {
  const name = firstOf(row, ['question', 'problem']);
  if (name !== undefined) return row[name];
  const inside = ['extra_info', 'info'].map((field) => own(container(row, field), 'question'));
  return inside.find((value) => typeof value === 'string' && value !== '');
}
