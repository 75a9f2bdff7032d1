/** `URL` and `URLSearchParams`. Leaves out: hosts that are not ASCII, and the normal form of addresses. */
import { Buffer } from './bytes.js';
import { BaseString, BaseTypeError, G } from './primordials.js';
import { hidden } from './world.js';

const percentBytes = (text) =>
  BaseString(text).replace(/[\s\S]/gu, (letter) =>
    Buffer.from(letter).toString('hex').toUpperCase().replace(/../g, '%$&'),
  );
const escapeAll = (text, unsafe) => text.replace(unsafe, percentBytes);
const unescaped = (text) =>
  text.replace(/(?:%[\da-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString(),
  );

const formEscape = (text) => escapeAll(text, /[^\w*\-. ]/gu).replaceAll(' ', '+');
const formUnescape = (text) => unescaped(text.replaceAll('+', ' '));

const pairOf = (part) => {
  const at = part.indexOf('=');
  const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
  return [formUnescape(name), formUnescape(value)];
};
const pairsOf = (init) => {
  if (typeof init === 'object' && init !== null) {
    const pairs = init[Symbol.iterator] ? [...init] : Object.entries(init);
    return pairs.map(([name, value]) => [BaseString(name), BaseString(value)]);
  }
  const parts = BaseString(init).replace(/^\?/, '').split('&');
  return parts.filter((part) => part !== '').map(pairOf);
};

class URLSearchParams {
  #pairs;
  #changed;
  /** @param changed is called with the text after every change; it updates the URL */
  constructor(init = '', changed = undefined) {
    this.#pairs = pairsOf(init);
    this.#changed = changed;
  }
  #set(pairs) {
    this.#pairs = pairs;
    this.#changed?.(this.toString());
  }
  get size() {
    return this.#pairs.length;
  }
  append(name, value) {
    this.#set([...this.#pairs, [BaseString(name), BaseString(value)]]);
  }
  delete(name, value) {
    this.#set(this.#pairs.filter(([k, v]) => k !== name || (value !== undefined && v !== value)));
  }
  get(name) {
    return this.#pairs.find(([k]) => k === name)?.[1] ?? null;
  }
  getAll(name) {
    return this.#pairs.filter(([k]) => k === name).map(([, v]) => v);
  }
  has(name, value) {
    return this.#pairs.some(([k, v]) => k === name && (value === undefined || v === value));
  }
  set(name, value) {
    const first = this.#pairs.findIndex(([k]) => k === name);
    if (first < 0) return this.append(name, value);
    const rest = this.#pairs.filter(([k], i) => k !== name || i === first);
    this.#set(rest.with(first, [name, BaseString(value)]));
  }
  sort() {
    this.#set(this.#pairs.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  }
  forEach(action, self) {
    for (const [name, value] of this.#pairs) action.call(self, value, name, this);
  }
  keys() {
    return this.#pairs.map(([name]) => name).values();
  }
  values() {
    return this.#pairs.map(([, value]) => value).values();
  }
  entries() {
    return this.#pairs.map(([name, value]) => [name, value]).values();
  }
  [Symbol.iterator]() {
    return this.entries();
  }
  toString() {
    return this.#pairs.map((pair) => pair.map(formEscape).join('=')).join('&');
  }
}

/** Schemes whose URLs have a host and a hierarchical path, with their default ports. */
const SPECIAL = {
  __proto__: null,
  'http:': '80',
  'https:': '443',
  'ws:': '80',
  'wss:': '443',
  'ftp:': '21',
  'file:': '',
};
const UNSAFE_IN_PATH = /[^!$%&'()*+,\-./\w:;=@[\\\]|~]/gu;
const UNSAFE_IN_QUERY = /[^!$%&'()*+,\-./\w:;=?@[\\\]^`{|}~]/gu;
const UNSAFE_IN_HASH = /[^!#$%&'()*+,\-./\w:;=?@[\\\]^{|}~]/gu;
const UNSAFE_IN_USER = /[^!$%&'()*+,\-.\w~]/gu;

const badUrl = (input) => {
  const error = new BaseTypeError('Invalid URL');
  error.code = 'ERR_INVALID_URL';
  error.input = input;
  throw error;
};

const withoutDots = (name) => {
  const kept = [];
  const steps = name.split('/').slice(1);
  for (const [i, step] of steps.entries()) {
    const isUp = /^(\.|%2e){2}$/i.test(step);
    if (isUp) kept.pop();
    if (!isUp && !/^(\.|%2e)$/i.test(step)) kept.push(step);
    else if (i === steps.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
};

/** Splits a URL. `base` has the parts that a relative URL leaves out. */
const piecesOf = (input, base) => {
  const text = input.trim().replace(/[\t\n\r]/g, '');
  const [, scheme, rest] = /^([a-z][a-z\d+.-]*:)?([\s\S]*)$/i.exec(text);
  if (scheme === undefined && base === undefined) badUrl(input);
  const protocol = scheme?.toLowerCase() ?? base.protocol;
  const isSpecial = protocol in SPECIAL;
  const [, left, search = '', hash = ''] = /^([^?#]*)(\?[^#]*)?(#[\s\S]*)?$/.exec(rest);
  const place = isSpecial ? left.replaceAll('\\', '/') : left;
  const isRelative = !scheme || (isSpecial && protocol === base?.protocol && place[0] !== '/');
  const end = { search: queryOf(search, protocol), hash: escapeAll(hash, UNSAFE_IN_HASH) };

  const startsWithHost = isRelative || protocol === 'file:' || !isSpecial ? /^\/\// : /^\/*/;
  if (startsWithHost.test(place)) {
    const [, host, path] = /^([^/]*)(.*)$/.exec(place.replace(startsWithHost, ''));
    const pathname = path || isSpecial ? withoutDots(escapeAll(path || '/', UNSAFE_IN_PATH)) : '';
    return { protocol, ...hostOf(input, host, protocol), pathname, ...end };
  }
  if (!isRelative) {
    const rooted = place[0] === '/' ? place : `/${place}`;
    const pathname = isSpecial ? withoutDots(escapeAll(rooted, UNSAFE_IN_PATH)) : place;
    return { protocol, ...NOWHERE, pathname, ...end };
  }
  const isOpaque = base.hostname === '' && base.pathname[0] !== '/';
  if (isOpaque && (place !== '' || search !== '')) badUrl(input);
  if (place === '') return { ...base, search: search ? end.search : base.search, hash: end.hash };
  const folder = place[0] === '/' ? '' : base.pathname.replace(/[^/]*$/, '');
  return { ...base, pathname: withoutDots(folder + escapeAll(place, UNSAFE_IN_PATH)), ...end };
};

const queryOf = (search, protocol) => {
  const query = escapeAll(search, UNSAFE_IN_QUERY);
  return protocol in SPECIAL ? query.replaceAll("'", '%27') : query;
};
/** The value of `search` or `hash`: a lone `?` or `#` counts as empty. */
const unlessBare = (text) => (text.length > 1 ? text : '');

const NOWHERE = { username: '', password: '', hostname: '', port: '' };
const hostOf = (input, text, protocol) => {
  const at = text.lastIndexOf('@');
  const [username, ...password] = at < 0 ? [''] : text.slice(0, at).split(':');
  const parts = /^(\[[\da-f:.]+\]|[^:[\]\s<>^|%]*)(?::(\d*))?$/i.exec(text.slice(at + 1));
  if (!parts || /[^\0-\x7f]/.test(parts[1]) || +(parts[2] ?? 0) > 65535) badUrl(input);
  if (parts[1] === '' && protocol in SPECIAL && protocol !== 'file:') badUrl(input);
  return {
    username: escapeAll(username, UNSAFE_IN_USER),
    password: escapeAll(password.join(':'), UNSAFE_IN_USER),
    hostname: protocol in SPECIAL ? parts[1].toLowerCase() : parts[1],
    port: portOf(parts[2] ?? '', protocol),
  };
};
const portOf = (port, protocol) => {
  const plain = port === '' ? '' : BaseString(+port);
  return plain === SPECIAL[protocol] ? '' : plain;
};

class URL {
  #at;
  #params;
  constructor(input, base = undefined) {
    const from = base === undefined ? undefined : piecesOf(BaseString(base), undefined);
    this.#at = piecesOf(BaseString(input), from);
  }
  static canParse(input, base) {
    return URL.parse(input, base) !== null;
  }
  static parse(input, base) {
    try {
      return new URL(input, base);
    } catch {
      return null;
    }
  }
  get href() {
    const { protocol, username, password, pathname, search, hash } = this.#at;
    const user = username || password ? `${username}${password && `:${password}`}@` : '';
    const slashes = this.host !== '' || protocol === 'file:' ? '//' : '';
    return `${protocol}${slashes}${user}${this.host}${pathname}${search}${hash}`;
  }
  get host() {
    const { hostname, port } = this.#at;
    return port === '' ? hostname : `${hostname}:${port}`;
  }
  get origin() {
    const { protocol } = this.#at;
    return protocol in SPECIAL && protocol !== 'file:' ? `${protocol}//${this.host}` : 'null';
  }
  get searchParams() {
    this.#params ??= new URLSearchParams(this.#at.search, (text) => {
      this.#at.search = text && `?${text}`;
    });
    return this.#params;
  }
  get search() {
    return unlessBare(this.#at.search);
  }
  set search(text) {
    const query = BaseString(text).replace(/^\?/, '');
    this.#at.search = query && queryOf(`?${query}`, this.#at.protocol);
    this.#params = undefined;
  }
  get hash() {
    return unlessBare(this.#at.hash);
  }
  set hash(text) {
    const mark = BaseString(text).replace(/^#/, '');
    this.#at.hash = mark && escapeAll(`#${mark}`, UNSAFE_IN_HASH);
  }
  get pathname() {
    return this.#at.pathname;
  }
  set pathname(text) {
    const path = escapeAll(BaseString(text), UNSAFE_IN_PATH);
    this.#at.pathname = withoutDots(path[0] === '/' ? path : `/${path}`);
  }
  get protocol() {
    return this.#at.protocol;
  }
  get username() {
    return this.#at.username;
  }
  get password() {
    return this.#at.password;
  }
  get hostname() {
    return this.#at.hostname;
  }
  get port() {
    return this.#at.port;
  }
  set port(text) {
    this.#at.port = portOf(BaseString(text), this.#at.protocol);
  }
  set hostname(text) {
    const { hostname } = hostOf(text, BaseString(text), this.#at.protocol);
    this.#at.hostname = hostname;
  }
  toString() {
    return this.href;
  }
  toJSON() {
    return this.href;
  }
}

hidden(G, 'URL', URL);
hidden(G, 'URLSearchParams', URLSearchParams);
