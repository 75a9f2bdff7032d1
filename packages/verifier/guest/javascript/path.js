/** The module `path`, as on POSIX with `/` as the working folder. */
import { BaseTypeError } from './primordials.js';

const pathText = (value) => {
  if (typeof value === 'string') return value;
  const error = new BaseTypeError('The "path" argument must be of type string');
  error.code = 'ERR_INVALID_ARG_TYPE';
  throw error;
};
const isAbsolute = (name) => pathText(name)[0] === '/';

/** The parts of a path without `.`, and without every `..` that has a folder to leave. */
const plainSteps = (name) => {
  const kept = [];
  for (const step of name.split('/')) {
    if (step === '' || step === '.') continue;
    if (step !== '..') kept.push(step);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!isAbsolute(name)) kept.push(step);
  }
  return kept;
};

/** The text before the last part (undefined if there is no slash) and the last part. */
const lastStep = (name) => {
  const body = pathText(name).replace(/\/+$/, '');
  const at = body.lastIndexOf('/');
  return [at < 0 ? undefined : body.slice(0, at), body.slice(at + 1)];
};

const normalize = (name) => {
  const root = isAbsolute(name) ? '/' : '';
  const steps = plainSteps(name).join('/') || (root ? '' : '.');
  return `${root}${steps}${steps && name.endsWith('/') ? '/' : ''}`;
};
const joinPaths = (...parts) =>
  normalize(parts.filter((part) => pathText(part) !== '').join('/') || '.');
const resolvePath = (...parts) => {
  let name = '';
  for (let i = parts.length - 1; i >= 0 && !isAbsolute(name); i--) {
    if (pathText(parts[i]) !== '') name = `${parts[i]}/${name}`;
  }
  return `/${plainSteps(`/${name}`).join('/')}`;
};
const relativePath = (from, to) => {
  const [here, there] = [plainSteps(resolvePath(from)), plainSteps(resolvePath(to))];
  let same = 0;
  while (same < here.length && here[same] === there[same]) same++;
  return [...here.slice(same).fill('..'), ...there.slice(same)].join('/');
};

const dirname = (name) => {
  const [folder] = lastStep(name);
  if (folder === undefined) return isAbsolute(name) ? '/' : '.';
  return folder === '' ? '/' : folder === '/' ? '//' : folder;
};
const basename = (name, ending = '') => {
  const [, base] = lastStep(name);
  const cut = ending !== '' && base !== ending && base.endsWith(ending);
  return cut ? base.slice(0, -ending.length) : base;
};
const extname = (name) => {
  const base = basename(name);
  const at = base.lastIndexOf('.');
  return at <= 0 || base === '..' ? '' : base.slice(at);
};
const parsePath = (name) => {
  const [folder, base] = lastStep(name);
  const root = isAbsolute(name) ? '/' : '';
  const ext = extname(name);
  return { root, dir: folder || root, base, ext, name: basename(base, ext) };
};
const formatPath = ({ root = '', dir = root, base, name = '', ext = '' }) => {
  const last = base || `${name}${ext && ext[0] !== '.' ? '.' : ''}${ext}`;
  return dir === '' || dir === root ? `${dir}${last}` : `${dir}/${last}`;
};

export const path = {
  sep: '/',
  delimiter: ':',
  normalize,
  join: joinPaths,
  resolve: resolvePath,
  relative: relativePath,
  isAbsolute,
  dirname,
  basename,
  extname,
  parse: parsePath,
  format: formatPath,
};
path.posix = path;
