/**
 * Guest, last part: what the cell calls. Every entry answers with plain text in an array and never
 * lets a thrown value of the answer reach the host, which would run its getters outside the timeout.
 */

import { closeBuiltIns, lockdown, replaceable } from './lockdown.js';
import { givenFiles, guestModule, guestRequire, isViolation } from './modules.js';
import { exitCode, guestProcess, leave } from './node.js';
import { complaints, exited, OUTPUT_LIMIT, printed, stderrText, stdoutText } from './output.js';
import {
  apply,
  BasePromise,
  BaseProxy,
  BaseString,
  BaseSyntaxError,
  construct,
  G,
  hasOwn,
  indirectEval,
  isArray,
  slice,
  thenOf,
} from './primordials.js';
import { standardInput } from './stdin.js';
import { isQuietFor, runNext, runTicks } from './timers.js';
import { decodeArguments, encode } from './wire.js';
import { RETURNING } from './world.js';

const PENDING = ['pending'];
/** How long a test program's intervals go on alone, in virtual time, before they count as left behind. */
const LINGER_MS = 5000;
let exported = [];
/** Did the program return at its top level, before it could hand over its names? */
let returned = false;
let settled;

/** Turns anything thrown into `[kind, name, message, stack]`, whatever its getters do. */
const describe = (error) => {
  if (error === OUTPUT_LIMIT) return ['output'];
  const kind = isViolation(error) ? 'violation' : 'threw';
  if ((typeof error === 'object' && error !== null) || typeof error === 'function') {
    return [
      kind,
      field(error, 'name', 100),
      field(error, 'message', 2000),
      field(error, 'stack', 8000),
    ];
  }
  return [kind, 'Thrown', attempt(() => slice(BaseString(error), 0, 2000)), ''];
};

const field = (error, name, max) =>
  attempt(() => (error[name] === undefined ? '' : slice(BaseString(error[name]), 0, max)));

const attempt = (read) => {
  try {
    return read();
  } catch {
    return '';
  }
};

const reported = (action) => {
  try {
    return action();
  } catch (error) {
    return describe(error);
  }
};

/** One entry into the answer, up to where its promise jobs begin. Past an exit nothing else counts. */
const guarded = (action) => {
  let reply;
  if (exited.code === undefined) {
    reply = reported(() => {
      const own = action();
      runTicks();
      return own;
    });
  }
  return exited.code === undefined ? reply : ['exit', exited.code];
};

/** Waits for a promise by polling; any other value is the answer itself. */
const settle = (value, finish) => {
  if (!(typeof value === 'object' && value !== null && value instanceof BasePromise)) {
    return finish(value);
  }
  settled = undefined;
  thenOf(
    value,
    (result) => {
      settled = reported(() => finish(result));
    },
    (error) => {
      settled = describe(error);
    },
  );
  return PENDING;
};

const evaluate = (source) => {
  const body = indirectEval(source);
  return apply(body, guestModule.exports, [
    guestModule.exports,
    guestRequire,
    guestModule,
    '/answer.js',
    '/',
  ]);
};

/** The function that a call test names: a top-level name, an export, or a method of `Solution`. */
const findFunction = (name) => {
  const [direct, solution] = exported;
  const { exports } = guestModule;
  if (typeof direct === 'function') return direct;
  if (exports && typeof exports[name] === 'function') return exports[name];
  if (typeof exports === 'function') return exports;
  if (exports && typeof exports.default === 'function') return exports.default;
  const maker = typeof solution === 'function' ? solution : exports?.Solution;
  if (typeof maker === 'function') {
    const instance = new maker();
    const method = instance[name];
    if (typeof method === 'function') return (...args) => apply(method, instance, args);
  }
  return globalFunction(name);
};

const globalFunction = (name) => {
  const own = hasOwn(G, name) ? G[name] : undefined;
  return typeof own === 'function' ? own : undefined;
};

const hasMethod = (owner, name) =>
  owner !== undefined && owner !== null && typeof owner[name] === 'function';

/** `Owner.name`: of a class the method of a new object, or else the static one; of an object its own. */
const findMethod = (ownerName, name) => {
  const { exports } = guestModule;
  const named = exported[0] ?? exports?.[ownerName] ?? globalFunction(ownerName);
  const owner = named ?? exports?.default ?? exports;
  const isClass = typeof owner === 'function' && owner.prototype !== undefined;
  const isStatic = !isClass || (hasOwn(owner, name) && !hasMethod(owner.prototype, name));
  const self = isStatic ? owner : new owner();
  const holder = hasMethod(self, name) ? self : owner;
  return hasMethod(holder, name) ? (...args) => apply(holder[name], holder, args) : undefined;
};

const drained = () => {
  leave();
  return ['drained'];
};

/** A function of the answer, called by a strict one: it cannot see the arguments of a sloppy caller. */
const behindStrict = (value) => {
  if (typeof value !== 'function') return value;
  const shield = new BaseProxy(value, {
    apply: (target, self, args) => apply(target, self, args),
    construct: (target, args, maker) => construct(target, args, maker === shield ? target : maker),
  });
  return shield;
};

const entries = {
  /**
   * Sets standard input and the output caps; `locked` fixes the realm for a test program. An
   * `errorLimit` of 0 keeps nothing of standard error.
   */
  prepare: (stdin, outputLimit, locked, errorLimit) => {
    standardInput.text = stdin;
    printed.limit = outputLimit;
    complaints.limit = errorLimit;
    if (locked) lockdown();
  },
  /** Puts a file beside the program, as Base64, to be read and required. */
  file: (path, base64) => {
    givenFiles[path] = base64;
  },
  /** Makes a library available to `require`: its source runs when it is first wanted. */
  library: addLibrary,
  /** Runs the wrapped program. Answers which of the names that were asked for it has declared. */
  load: (source) =>
    guarded(() =>
      settle(evaluate(source), (values) => {
        returned = !isArray(values);
        exported = returned ? [] : values;
        let declared = '';
        for (let i = 0; i < exported.length; i++) declared += exported[i] === undefined ? '0' : '1';
        return ['loaded', declared];
      }),
    ),
  /**
   * Runs a test program over what it may replace and the declared values; its completion value says
   * that it got through.
   */
  test: (source, isSloppy) =>
    guarded(() => {
      closeBuiltIns();
      const values = [replaceable];
      for (let i = 0; i < exported.length; i++) {
        const value = exported[i];
        if (value !== undefined) values[values.length] = isSloppy ? behindStrict(value) : value;
      }
      const body = indirectEval(source);
      return settle(apply(body, undefined, values), (value) => ['value', encode(value)]);
    }),
  /** Calls the entry point, a function or with `method` one of a class, and encodes what it returns. */
  call: (name, method, args) =>
    guarded(() => {
      const entry = method === '' ? findFunction(name) : findMethod(name, method);
      if (entry === undefined && returned) {
        throw new BaseSyntaxError(`the program returns at its top level, before ${name} is known`);
      }
      if (entry === undefined) return ['missing'];
      return settle(apply(entry, undefined, decodeArguments(args)), (value) => [
        'value',
        encode(value),
      ]);
    }),
  /** One more turn; `['idle']` when a promise is still open and nothing can settle it. */
  poll: () =>
    guarded(() => {
      if (settled !== undefined) return settled;
      if (runNext()) return settled ?? PENDING;
      return settled ?? ['idle'];
    }),
  /** One more turn of a program that nothing is asked of any more; `['drained']` at its end. */
  drain: () => guarded(() => (runNext() ? PENDING : drained())),
  /** The same for a test program that has got through: an interval that it left running is no failure. */
  linger: () => guarded(() => (!isQuietFor(LINGER_MS) && runNext() ? PENDING : drained())),
  /** Everything printed so far. */
  stdout: stdoutText,
  stderr: stderrText,
  /** Has the program or its tests ever set an exit code that is a failure's? */
  failed: () => BaseString(exitCode.everSet),
  /** What a program that came to its end by itself ends with. */
  exitCode: () => attempt(() => BaseString(guestProcess.exitCode ?? 0)),
  /** What `process.exit` was called with; nothing when it was not. */
  exited: () => exited.code ?? '',
};

/** The one function that the cell holds. */
const drive = (name, ...values) => apply(entries[name], undefined, values);

/** Runs first in every context, also one that starts from a snapshot, and hands out the driver. */
export const arrive = () => {
  for (const name of RETURNING) delete G[name];
  delete G.arrive; // where a snapshot keeps it
  return drive;
};
