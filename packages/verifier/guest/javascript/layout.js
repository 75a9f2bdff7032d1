/** Breaks the parts of a printed value into lines, as Node's `util.inspect` does. */
import { floor, includes, join, max, min, push, repeat, uncurry } from './primordials.js';

const LINE = 80;
/** Values of at most this many levels share a line. */
const LEVELS = 3;
const padStart = uncurry(String.prototype.padStart);
export const padEnd = uncurry(String.prototype.padEnd);
const { sqrt, round: nearest } = Math;

/** Whether a text of `length` that starts at column `indent` fits on a line and leaves `kept` columns. */
export const fits = (length, indent, kept) => length <= LINE - indent - kept;

/**
 * Puts parts between braces. `base` comes before the brace. `levels` is how many levels the last part has. `list` is
 * the value if the parts are the entries of an array, which are shown in columns.
 */
export const layOut = ({ base, open, close, parts, indent, levels, list, isCut }) => {
  const before = base ? `${base} ` : '';
  const shown = list && parts.length > 6 ? columns(parts, indent, list, isCut) : parts;
  if (levels < LEVELS && shown === parts) {
    const start = parts.length + indent + open.length + base.length + 10;
    if (lengthOf(parts) + parts.length + start <= LINE && !includes(base, '\n')) {
      const line = join(parts, ', ');
      if (!includes(line, '\n')) return `${before}${open} ${line} ${close}`;
    }
  }
  const lineStart = `\n${repeat(' ', indent)}`;
  return `${before}${open}${lineStart}  ${join(shown, `,${lineStart}  `)}${lineStart}${close}`;
};

const lengthOf = (parts) => {
  let length = 0;
  for (let i = 0; i < parts.length; i++) length += parts[i].length;
  return length;
};

/**
 * Puts short entries of an array into columns of equal width, numbers aligned to the right. Returns long entries as
 * they are.
 */
const columns = (parts, indent, list, isCut) => {
  const count = isCut ? parts.length - 1 : parts.length;
  let total = 0;
  let widest = 0;
  const lengths = [];
  for (let i = 0; i < count; i++) {
    push(lengths, parts[i].length);
    total += parts[i].length + 2;
    widest = max(widest, parts[i].length);
  }
  const full = widest + 2;
  if (full * 3 + indent >= LINE || (total / full <= 5 && widest > 6)) return parts;
  const bias = sqrt(full - total / parts.length);
  const width = max(full - 3 - bias, 1);
  const perLine = min(
    nearest(sqrt(2.5 * width * count) / width),
    floor((LINE - indent) / full),
    LEVELS * 4,
    15,
  );
  if (perLine <= 1) return parts;
  const widths = [];
  for (let column = 0; column < perLine; column++) {
    let most = 0;
    for (let i = column; i < count; i += perLine) most = max(most, lengths[i]);
    push(widths, most + 2);
  }
  let pad = padStart;
  for (let i = 0; i < parts.length; i++)
    if (typeof list[i] !== 'number' && typeof list[i] !== 'bigint') pad = padEnd;
  const rows = [];
  for (let i = 0; i < count; i += perLine) {
    const end = min(i + perLine, count);
    let row = '';
    for (let at = i; at < end - 1; at++) row += pad(`${parts[at]}, `, widths[at - i]);
    row += pad === padStart ? padStart(parts[end - 1], widths[end - 1 - i] - 2) : parts[end - 1];
    push(rows, row);
  }
  if (isCut) push(rows, parts[count]);
  return rows;
};
