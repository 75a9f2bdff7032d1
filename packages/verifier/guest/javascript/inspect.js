/**
 * Renders values as Node's console does. Leaves out: what only the engine can see, which are the entries of an iterator
 * and the value of a promise.
 */
import { fits, layOut } from './layout.js';
import {
  apply,
  BaseBigInt,
  BaseBoolean,
  BaseBuffer,
  BaseBytes,
  BaseDate,
  BaseError,
  BaseMap,
  BaseNumber,
  BasePromise,
  BaseSet,
  BaseString,
  bigIntOf,
  booleanOf,
  brandedAs,
  charCodeAt,
  G,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hasOwn,
  includes,
  indexOf,
  isArray,
  isDate,
  isEnumerable,
  isMap,
  isoText,
  isSet,
  isView,
  join,
  jsonText,
  keysOf,
  mapEach,
  min,
  numberOf,
  push,
  regExpText,
  repeat,
  replace,
  setEach,
  slice,
  split,
  startsWith,
  stringOf,
  symbolOf,
  symbolsOf,
  symbolText,
  tagOf,
  uncurry,
} from './primordials.js';

const MOST_ENTRIES = 100;
const MOST_CHARACTERS = 10_000;
const CUSTOM = Symbol.for('nodejs.util.inspect.custom');
const TAG = Symbol.toStringTag;
const sourceOf = uncurry(Function.prototype.toString);
const codeText = uncurry(Number.prototype.toString);
// `instanceof` first: a brand check throws if it fails, which takes ten microseconds.
const isLike = (value, Maker, isBranded) => value instanceof Maker && isBranded(value);
const isPromise = (value) => tagOf(value) === '[object Promise]' && value instanceof BasePromise;
const isDateLike = (value) => isLike(value, BaseDate, isDate);
const BaseWeakMap = WeakMap;
const BaseWeakSet = WeakSet;
const viewKind = uncurry(
  getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get,
);

/** Renders any value. Strings in it are quoted. `depth` is how many levels below the value are shown, null for all. */
export const inspect = (value, options = {}) => {
  const { depth = 2, customInspect = true } = options ?? {};
  const most = depth === null ? Infinity : depth;
  const run = { most, seen: [], repeated: [], indent: 0, deepest: 0, customInspect };
  return textOf(run, value, 0);
};

const textOf = (run, value, level) => {
  switch (typeof value) {
    case 'string':
      return stringText(run, value);
    case 'number':
      return value === 0 && 1 / value < 0 ? '-0' : BaseString(value);
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return symbolText(value);
    case 'object':
    case 'function':
      return value === null ? 'null' : objectText(run, value, level);
    default:
      return BaseString(value);
  }
};

const ESCAPES = { 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\x0B', 12: '\\f', 13: '\\r', 92: '\\\\' };

const quote = (text) => {
  let mark = "'";
  if (includes(text, "'")) {
    if (!includes(text, '"')) mark = '"';
    else if (!includes(text, '`') && !includes(text, '${')) mark = '`';
  }
  const escaped = replace(text, /[\p{Cc}\p{Cs}'\\]/gu, (c) => {
    const code = charCodeAt(c, 0);
    if (code === 39) return mark === "'" ? "\\'" : c;
    if (ESCAPES[code]) return ESCAPES[code];
    const digits = codeText(code, 16);
    if (code > 255) return `\\u${digits}`;
    return `\\x${code < 16 ? '0' : ''}${replace(digits, /[a-f]/g, (d) => UPPER[d])}`;
  });
  return `${mark}${escaped}${mark}`;
};
const UPPER = { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E', f: 'F' };

const stringText = (run, value) => {
  const more = value.length - MOST_CHARACTERS;
  const text = more > 0 ? slice(value, 0, MOST_CHARACTERS) : value;
  const end = more > 0 ? `... ${more} more character${more > 1 ? 's' : ''}` : '';
  if (text.length <= 16 || fits(text.length, run.indent, 4)) return `${quote(text)}${end}`;
  const lines = split(text, /(?<=\n)/);
  for (let i = 0; i < lines.length; i++) lines[i] = quote(lines[i]);
  return `${join(lines, ` +\n${repeat(' ', run.indent + 2)}`)}${end}`;
};

const objectText = (run, value, level) => {
  const custom = run.customInspect ? customText(run, value, level) : undefined;
  if (custom !== undefined) return custom;
  for (let i = 0; i < run.seen.length; i++)
    if (run.seen[i] === value) return `[Circular *${reference(run, value)}]`;
  return shapeText(run, value, level);
};

/** The number that refers to a value that contains itself. */
const reference = (run, value) => {
  const at = placeOf(run.repeated, value);
  return at > 0 ? at : push(run.repeated, value);
};
const placeOf = (values, value) => {
  for (let i = 0; i < values.length; i++) if (values[i] === value) return i + 1;
  return 0;
};

const customText = (run, value, level) => {
  const own = value[CUSTOM];
  if (typeof own !== 'function' || own === inspect) return undefined;
  const made = apply(own, value, [run.most - level, { depth: run.most - level }, inspect]);
  if (made === value) return undefined;
  if (typeof made === 'string') return replace(made, /\n/g, `\n${repeat(' ', run.indent)}`);
  return textOf(run, made, level);
};

/** The name of the nearest constructor, null if there is none. */
const makerOf = (value) => {
  for (let at = value; at !== null; at = getPrototypeOf(at)) {
    const maker = getOwnPropertyDescriptor(at, 'constructor')?.value;
    if (typeof maker === 'function' && typeof maker.name === 'string' && maker.name !== '')
      return maker.name;
  }
  return null;
};

const tagText = (value, maker) => {
  if (isEnumerable(value, TAG)) return ''; // the tag is shown as a key
  const tag = value[TAG];
  return typeof tag === 'string' && tag !== maker ? tag : '';
};

/** The text before a brace: `Maker(size) [tag] `. */
const labelOf = (maker, tag, kind, size = '') => {
  const name = maker === null ? `[${kind}${size}: null prototype]` : `${maker}${size}`;
  return tag === '' ? `${name} ` : `${name} [${tag}] `;
};

/** Enumerable keys. For a value with entries, only keys that are not indexes. */
const keysBeside = (value, hasEntries) => {
  const keys = [];
  const names = keysOf(value);
  for (let i = 0; i < names.length; i++)
    if (!hasEntries || !/^(0|[1-9]\d{0,9})$/.test(names[i])) push(keys, names[i]);
  const symbols = symbolsOf(value);
  for (let i = 0; i < symbols.length; i++)
    if (isEnumerable(value, symbols[i])) push(keys, symbols[i]);
  return keys;
};

const none = () => [];
const filled = (open, close, entries, keys, size) => ({
  open,
  close,
  entries,
  keys,
  isEmpty: size === 0,
});

/** How a value is shown: the text before its braces, its entries and its braces. */
const shapeOf = (value) => {
  const maker = makerOf(value);
  const tag = tagText(value, maker);
  const label = (kind, size) => labelOf(maker, tag, kind, size);
  if (isArray(value)) {
    const open = `${maker === 'Array' && tag === '' ? '' : label('Array', `(${value.length})`)}[`;
    return filled(open, ']', arrayParts, keysBeside(value, true), value.length);
  }
  const keys = (hasEntries = false) => keysBeside(value, hasEntries);
  if (isLike(value, BaseSet, isSet)) {
    const size = countOf(setEach, value);
    return filled(`${label('Set', `(${size})`)}{`, '}', setParts, keys(), size);
  }
  if (isLike(value, BaseMap, isMap)) {
    const size = countOf(mapEach, value);
    return filled(`${label('Map', `(${size})`)}{`, '}', mapParts, keys(), size);
  }
  const view = isView(value) ? viewKind(value) : undefined;
  if (view !== undefined) {
    const name = maker ?? view;
    const open = `${labelOf(name, tag === view ? '' : tag, view, `(${value.length})`)}[`;
    return filled(open, ']', viewParts, keys(true), value.length);
  }
  if (tagOf(value) === '[object Arguments]' && tag === '')
    return filled('[Arguments] {', '}', none, keys(), 0);
  const based = (base, own = keys()) => ({ base, ...filled('{', '}', none, own, 0) });
  if (typeof value === 'function') return based(functionText(value, maker, tag));
  if (value instanceof BaseError) return based(errorText(value));
  if (isDateLike(value))
    return based(`${value}` === 'Invalid Date' ? 'Invalid Date' : isoText(value));
  if (tagOf(value) === '[object RegExp]') return based(regExpText(value));
  const boxed = boxedText(value);
  if (boxed) return based(boxed, keys(true));
  const open = maker === 'Object' && tag === '' ? '{' : `${label('Object')}{`;
  if (value instanceof BaseBuffer) return filled(open, '}', bufferParts, keys(), 1);
  const unseen = unseenIn(value);
  if (unseen) return filled(open, '}', () => [unseen], keys(), 1);
  return filled(open, '}', none, keys(), 0);
};

/** The text for contents that a program cannot read. */
const unseenIn = (value) => {
  if (isPromise(value)) return '<pending>';
  const isWeak = value instanceof BaseWeakMap || value instanceof BaseWeakSet;
  return isWeak ? '<items unknown>' : undefined;
};

const countOf = (each, value) => {
  let count = 0;
  each(value, () => {
    count += 1;
  });
  return count;
};

const shapeText = (run, value, level) => {
  const { base = '', open, close, entries, keys, isEmpty } = shapeOf(value);
  if (isEmpty && keys.length === 0) return base || `${open}${close}`;
  if (level > run.most) return isArray(value) ? '[Array]' : `[${shortName(value)}]`;
  push(run.seen, value);
  run.deepest = level;
  const parts = entries(run, value, level + 1);
  for (let i = 0; i < keys.length; i++) push(parts, propertyText(run, value, keys[i], level + 1));
  run.seen.length -= 1;
  const at = placeOf(run.repeated, value);
  const mark = at > 0 ? `<ref *${at}>` : '';
  return layOut({
    base: base && mark ? `${mark} ${base}` : base || mark,
    open,
    close,
    parts,
    indent: run.indent,
    levels: run.deepest - level,
    list: close === ']' ? value : undefined,
    isCut: parts.length > MOST_ENTRIES,
  });
};

const shortName = (value) => {
  const maker = makerOf(value);
  const label = labelOf(maker, tagText(value, maker), 'Object');
  return slice(label, startsWith(label, '[') ? 1 : 0, startsWith(label, '[') ? -2 : -1);
};

const within = (run, write) => {
  run.indent += 2;
  const text = write();
  run.indent -= 2;
  return text;
};

const propertyText = (run, value, key, level) => {
  const found = getOwnPropertyDescriptor(value, key) ?? { value: value[key] };
  const text = hasOwn(found, 'value')
    ? within(run, () => textOf(run, found.value, level))
    : accessorText(found);
  if (typeof key === 'symbol') return `${symbolText(key)}: ${text}`;
  if (key === '__proto__') return `['__proto__']: ${text}`;
  return `${/^[a-zA-Z_][a-zA-Z_0-9]*$/.test(key) ? key : quote(key)}: ${text}`;
};

/** @param {PropertyDescriptor} descriptor */
const accessorText = ({ get, set }) => {
  if (get === undefined) return set === undefined ? 'undefined' : '[Setter]';
  return set === undefined ? '[Getter]' : '[Getter/Setter]';
};

const moreText = (more) => `... ${more} more item${more > 1 ? 's' : ''}`;

const arrayParts = (run, value, level) => {
  const parts = [];
  let at = 0;
  while (at < value.length && parts.length < MOST_ENTRIES) {
    const start = at;
    while (at < value.length && !hasOwn(value, at)) at += 1;
    if (at > start) push(parts, `<${at - start} empty item${at - start > 1 ? 's' : ''}>`);
    else {
      const item = value[at];
      push(
        parts,
        within(run, () => textOf(run, item, level)),
      );
      at += 1;
    }
  }
  if (at < value.length) push(parts, moreText(value.length - at));
  return parts;
};

const viewParts = (run, value, level) => {
  const parts = [];
  const shown = min(value.length, MOST_ENTRIES);
  for (let i = 0; i < shown; i++) push(parts, textOf(run, value[i], level));
  if (value.length > shown) push(parts, moreText(value.length - shown));
  return parts;
};

const HEX = '0123456789abcdef';
const MOST_BYTES = 50;

/** Renders bytes as Node does for a buffer: `61 62 ... 3 more bytes`. */
export const bytesText = (bytes) => {
  const shown = [];
  for (let i = 0; i < min(bytes.length, MOST_BYTES); i++)
    push(shown, `${HEX[bytes[i] >> 4]}${HEX[bytes[i] & 15]}`);
  const more = bytes.length - MOST_BYTES;
  if (more > 0) push(shown, `... ${more} more byte${more > 1 ? 's' : ''}`);
  return join(shown, ' ');
};

const bufferParts = (_run, value) => [
  `[Uint8Contents]: <${bytesText(new BaseBytes(value))}>`,
  `[byteLength]: ${value.byteLength}`,
];

const setParts = (run, value, level) => {
  const parts = [];
  let count = 0;
  setEach(value, (item) => {
    count += 1;
    if (count <= MOST_ENTRIES)
      push(
        parts,
        within(run, () => textOf(run, item, level)),
      );
  });
  if (count > MOST_ENTRIES) push(parts, moreText(count - MOST_ENTRIES));
  return parts;
};

const mapParts = (run, value, level) => {
  const parts = [];
  let count = 0;
  mapEach(value, (item, key) => {
    count += 1;
    if (count > MOST_ENTRIES) return;
    const text = (x) => within(run, () => textOf(run, x, level));
    push(parts, `${text(key)} => ${text(item)}`);
  });
  if (count > MOST_ENTRIES) push(parts, moreText(count - MOST_ENTRIES));
  return parts;
};

const functionText = (value, maker, tag) => {
  const source = sourceOf(value);
  if (startsWith(source, 'class') && slice(source, -1) === '}') return classText(value, maker, tag);
  const kind = FUNCTION_KINDS[tagOf(value)] ?? 'Function';
  const name =
    typeof value.name === 'string' && value.name !== '' ? `: ${value.name}` : ' (anonymous)';
  let text = `[${kind}${maker === null ? ' (null prototype)' : ''}${name}]`;
  if (maker !== kind && maker !== null) text += ` ${maker}`;
  return tag !== '' && tag !== kind ? `${text} [${tag}]` : text;
};
const FUNCTION_KINDS = {
  '[object AsyncFunction]': 'AsyncFunction',
  '[object GeneratorFunction]': 'GeneratorFunction',
  '[object AsyncGeneratorFunction]': 'AsyncGeneratorFunction',
};

const classText = (value, maker, tag) => {
  const named = hasOwn(value, 'name') && typeof value.name === 'string' && value.name !== '';
  let text = `[class ${named ? value.name : '(anonymous)'}`;
  if (maker !== 'Function' && maker !== null) text += ` [${maker}]`;
  if (tag !== '') text += ` [${tag}]`;
  if (maker === null) return `${text} extends [null prototype]]`;
  const parent = getPrototypeOf(value).name;
  return `${text}${parent ? ` extends ${parent}` : ''}]`;
};

const errorText = (value) => {
  const stack = typeof value.stack === 'string' && value.stack !== '' ? value.stack : `${value}`;
  return indexOf(stack, '\n    at') < 0 ? `[${stack}]` : stack;
};

const BaseSymbol = Symbol;
const BOXES = [
  { name: 'Number', Maker: BaseNumber, valueIn: numberOf },
  { name: 'String', Maker: BaseString, valueIn: stringOf },
  { name: 'Boolean', Maker: BaseBoolean, valueIn: booleanOf },
  { name: 'BigInt', Maker: BaseBigInt, valueIn: bigIntOf },
  { name: 'Symbol', Maker: BaseSymbol, valueIn: symbolOf },
];

/** `[Number: 3]` for an object around a primitive, undefined for any other. */
const boxedText = (value) => {
  for (let i = 0; i < BOXES.length; i++) {
    const { name, Maker, valueIn } = BOXES[i];
    if (!(value instanceof Maker) || !brandedAs(valueIn, value)) continue;
    const maker = makerOf(value);
    const kind = maker === name ? name : `${name} (${maker ?? 'null prototype'})`;
    return `[${kind}: ${textOf({ indent: 0 }, valueIn(value), 0)}]`;
  }
  return undefined;
};

/** Renders the arguments of `console.log`, with the `%` placeholders of the first one filled. */
export const formatWithPlaceholders = (values) => {
  let used = 0;
  let text = '';
  if (typeof values[0] === 'string') {
    used = 1;
    text = replace(values[0], /%[sdifjoOc%]/g, (mark) => {
      if (mark === '%%') return values.length > 1 ? '%' : mark;
      if (used >= values.length) return mark;
      return placeholder(mark, values[used++]);
    });
  }
  for (let i = used; i < values.length; i++) {
    const part = typeof values[i] === 'string' ? values[i] : inspect(values[i]);
    text += i > 0 ? ` ${part}` : part;
  }
  return text;
};

const placeholder = (mark, value) => {
  switch (mark) {
    case '%s':
      return wordOf(value);
    case '%d':
      if (typeof value === 'bigint') return `${value}n`;
      return typeof value === 'symbol' ? 'NaN' : inspect(+value);
    case '%i':
      if (typeof value === 'bigint') return `${value}n`;
      return typeof value === 'symbol' ? 'NaN' : inspect(parseInt(value, 10));
    case '%f':
      return typeof value === 'symbol' ? 'NaN' : inspect(parseFloat(value));
    case '%j':
      return jsonText(value);
    case '%c':
      return '';
    case '%o':
      return inspect(value, { depth: 4 });
    default:
      return inspect(value);
  }
};

/** `%s`: an object is rendered by its own `toString` only if its class, and not the language, defines it. */
const wordOf = (value) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'function') return sourceOf(value);
  if (typeof value !== 'object' || value === null) return inspect(value);
  const isOwn = typeof value.toString === 'function' && !BUILT_IN[sourceOf(value.toString)];
  return isOwn && !isArray(value) && !isDateLike(value)
    ? BaseString(value)
    : inspect(value, { depth: 0 });
};
const BUILT_IN = { [sourceOf(G.Object.prototype.toString)]: true };
