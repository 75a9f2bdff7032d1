/**
 * Guest: values as text, close to what Node's console prints. Line breaks differ from Node in wide
 * values, which a comparison by tokens does not see.
 */
import {
  BaseError,
  BaseString,
  getPrototypeOf,
  hasOwn,
  includes,
  isArray,
  isDate,
  isMap,
  isoText,
  isSet,
  isView,
  join,
  jsonText,
  keysOf,
  mapEach,
  push,
  regExpText,
  repeat,
  replace,
  setEach,
  symbolText,
  tagOf,
} from './primordials.js';

const MAX_ITEMS = 100;
const MAX_SHOWN_DEPTH = 2;
const LINE = 72;

/** Text of any value; strings inside are quoted, as `util.inspect` does. */
export const inspect = (value, depth = 0, seen = []) => {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      return value === 0 && 1 / value < 0 ? '-0' : BaseString(value);
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return symbolText(value);
    case 'function':
      return functionText(value);
    case 'object':
      return value === null ? 'null' : inspectObject(value, depth, seen);
    default:
      return BaseString(value);
  }
};

const functionText = (value) => {
  const kind = hasOwn(value, 'prototype') && includes(tagOf(value), 'Class') ? 'class' : 'Function';
  return value.name ? `[${kind}: ${value.name}]` : `[${kind} (anonymous)]`;
};

const quote = (text) => {
  const escaped = replace(replace(text, /\\/g, '\\\\'), /\n/g, '\\n');
  if (!includes(text, "'")) return `'${escaped}'`;
  if (!includes(text, '"')) return `"${escaped}"`;
  return includes(text, '`') ? `'${replace(escaped, /'/g, "\\'")}'` : `\`${escaped}\``;
};

const inspectObject = (value, depth, seen) => {
  for (let i = 0; i < seen.length; i++) if (seen[i] === value) return '[Circular *1]';
  if (value instanceof BaseError) return `${value.stack ?? value}`;
  if (isDate(value)) return `${value}` === 'Invalid Date' ? 'Invalid Date' : isoText(value);
  if (tagOf(value) === '[object RegExp]') return regExpText(value);
  const name = constructorName(value);
  if (depth > MAX_SHOWN_DEPTH) return isArray(value) ? '[Array]' : `[${name || 'Object'}]`;
  push(seen, value);
  const text = contents(value, name, depth, seen);
  seen.length -= 1;
  return text;
};

const constructorName = (value) => {
  const proto = getPrototypeOf(value);
  if (proto === null) return '[Object: null prototype]';
  const maker = proto.constructor;
  return typeof maker === 'function' && typeof maker.name === 'string' ? maker.name : '';
};

const contents = (value, name, depth, seen) => {
  const inner = (x) => inspect(x, depth + 1, seen);
  const items = [];
  if (isArray(value) || isView(value)) {
    const label = isArray(value) && name === 'Array' ? '' : `${name}(${value.length}) `;
    const shown = Math.min(value.length, MAX_ITEMS);
    for (let i = 0; i < shown; i++) push(items, i in value ? inner(value[i]) : '<1 empty item>');
    const more = value.length - shown;
    if (more > 0) push(items, `... ${more} more item${more > 1 ? 's' : ''}`);
    return layOut(label, '[', items, ']', depth);
  }
  if (isMap(value)) {
    mapEach(value, (v, k) => push(items, `${inner(k)} => ${inner(v)}`));
    return layOut(`Map(${items.length}) `, '{', items, '}', depth);
  }
  if (isSet(value)) {
    setEach(value, (v) => push(items, inner(v)));
    return layOut(`Set(${items.length}) `, '{', items, '}', depth);
  }
  const keys = keysOf(value);
  for (let i = 0; i < keys.length; i++)
    push(items, `${keyText(keys[i])}: ${inner(value[keys[i]])}`);
  return layOut(name === 'Object' || name === '' ? '' : `${name} `, '{', items, '}', depth);
};

const keyText = (key) => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key));

const layOut = (label, open, items, close, depth) => {
  if (items.length === 0) return `${label}${open}${close}`;
  const line = join(items, ', ');
  if (line.length + label.length <= LINE && !includes(line, '\n')) {
    return `${label}${open} ${line} ${close}`;
  }
  const pad = repeat('  ', depth);
  return `${label}${open}\n${pad}  ${join(items, `,\n${pad}  `)}\n${pad}${close}`;
};

/** The arguments of a `console.log`, `%` placeholders of the first one filled. */
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
      return typeof value === 'string' ? value : inspect(value, 1);
    case '%d':
      return typeof value === 'bigint' ? `${value}n` : BaseString(+value);
    case '%i':
      return BaseString(parseInt(value, 10));
    case '%f':
      return BaseString(parseFloat(value));
    case '%j':
      return jsonText(value);
    case '%c':
      return '';
    default:
      return inspect(value);
  }
};
