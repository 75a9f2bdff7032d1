/** Renders values for `console.table`. */
import { inspect } from './inspect.js';
import { padEnd } from './layout.js';
import {
  createObject,
  hasOwn,
  isArray,
  isMap,
  isSet,
  join,
  keysOf,
  mapEach,
  max,
  push,
  repeat,
  setEach,
} from './primordials.js';

const cellText = (value) => {
  const isWide = typeof value === 'object' && value !== null && !isArray(value);
  return inspect(value, { depth: isWide && keysOf(value).length > 2 ? -1 : 0 });
};

/** The text of `console.table`. For a value without rows, the text of `console.log`. */
export const tableText = (value, wanted) => {
  if (typeof value !== 'object' || value === null) return inspect(value);
  const rows = [];
  if (isMap(value)) {
    mapEach(value, (item, key) => push(rows, [`${rows.length}`, cellText(key), cellText(item)]));
    return drawTable(['(iteration index)', 'Key', 'Values'], rows);
  }
  if (isSet(value)) {
    setEach(value, (item) => push(rows, [`${rows.length}`, cellText(item)]));
    return drawTable(['(iteration index)', 'Values'], rows);
  }
  return propertyTable(value, isArray(wanted) ? wanted : undefined);
};

/** One row for each property, one column for each property of their values, and one for values without properties. */
const propertyTable = (value, wanted) => {
  const names = keysOf(value);
  const columns = createObject(null);
  let hasPlain = false;
  for (let r = 0; r < names.length; r++) {
    const item = value[names[r]];
    if (!hasProperties(item)) hasPlain = true;
    const keys = wanted ?? (hasProperties(item) ? keysOf(item) : []);
    for (let k = 0; k < keys.length; k++) columns[keys[k]] = true;
  }
  const shown = keysOf(columns);
  const head = ['(index)'];
  for (let c = 0; c < shown.length; c++) push(head, shown[c]);
  if (hasPlain) push(head, 'Values');
  const rows = [];
  for (let r = 0; r < names.length; r++) {
    const item = value[names[r]];
    const row = [names[r]];
    for (let c = 0; c < shown.length; c++)
      push(row, hasProperties(item) && hasOwn(item, shown[c]) ? cellText(item[shown[c]]) : '');
    if (hasPlain) push(row, hasProperties(item) ? '' : cellText(item));
    push(rows, row);
  }
  return drawTable(head, rows);
};

const hasProperties = (item) =>
  item !== null && (typeof item === 'object' || typeof item === 'function');

/** Draws rows of texts below a header, in a frame. */
const drawTable = (head, rows) => {
  const widths = [];
  for (let c = 0; c < head.length; c++) {
    let most = head[c].length;
    for (let r = 0; r < rows.length; r++) most = max(most, rows[r][c].length);
    push(widths, most + 2);
  }
  const rule = (left, middle, right) => {
    const bars = [];
    for (let c = 0; c < widths.length; c++) push(bars, repeat('─', widths[c]));
    return `${left}${join(bars, middle)}${right}`;
  };
  const line = (cells) => {
    const padded = [];
    for (let c = 0; c < cells.length; c++) push(padded, padEnd(` ${cells[c]}`, widths[c]));
    return `│${join(padded, '│')}│`;
  };
  const lines = [rule('┌', '┬', '┐'), line(head), rule('├', '┼', '┤')];
  for (let r = 0; r < rows.length; r++) push(lines, line(rows[r]));
  push(lines, rule('└', '┴', '┘'));
  return join(lines, '\n');
};
