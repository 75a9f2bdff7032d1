/**
 * What the cell calls. Every entry returns strings in an array. A value that the program throws never reaches the cell:
 * reading its properties there would run getters outside of the timeout.
 */

import { closeBuiltIns, lockdown, replaceable } from './lockdown.js';
import { addLibrary, givenFiles, guestModule, guestRequire, isViolation } from './modules.js';
import { exitCode, guestProcess, leave } from './node.js';
import { errorOutput, exited, OUTPUT_LIMIT, printed, stderrText, stdoutText } from './output.js';
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
/** For how long, in virtual time, the intervals of a test program run when nothing else is left. */
const LINGER_MS = 5000;
let exported = [];
/** Whether the program returned at its top level, before it could return the values of its names. */
let returned = false;
let settled;

/** Turns any thrown value into `[kind, name, message, stack]`, whatever its getters do. */
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

const describeThrown = (action) => {
  try {
    return action();
  } catch (error) {
    return describe(error);
  }
};

/** Enters the program, up to the start of its promise jobs. After an exit nothing else counts. */
const enter = (action) => {
  let reply;
  if (exited.code === undefined) {
    reply = describeThrown(() => {
      const own = action();
      runTicks();
      return own;
    });
  }
  return exited.code === undefined ? reply : ['exit', exited.code];
};

/** Waits for a promise by polling. Any other value is the result itself. */
const settle = (value, finish) => {
  if (!(typeof value === 'object' && value !== null && value instanceof BasePromise)) {
    return finish(value);
  }
  settled = undefined;
  thenOf(
    value,
    (result) => {
      settled = describeThrown(() => finish(result));
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

/** `Owner.name`: for a class the method of a new object, or else the static method; for an object its own method. */
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

const finishProgram = () => {
  leave();
  return ['drained'];
};

/**
 * Wraps a function of the program so that a strict function calls it: it cannot read the arguments of a sloppy caller.
 */
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
   * Sets standard input and the output limits in characters. `locked` prepares the realm for a test program. An
   * `errorLimit` of 0 keeps nothing of standard error.
   */
  prepare: (stdin, outputLimit, locked, errorLimit) => {
    standardInput.text = stdin;
    printed.limit = outputLimit;
    errorOutput.limit = errorLimit;
    if (locked) lockdown();
  },
  /** Adds a file beside the program, as Base64. The program may read and require it. */
  file: (path, base64) => {
    givenFiles[path] = base64;
  },
  /** Makes a library available to `require`. Its source runs at the first `require`. */
  library: addLibrary,
  /** Runs the wrapped program. Returns which of the requested names it declares, as `0` and `1`. */
  load: (source) =>
    enter(() =>
      settle(evaluate(source), (values) => {
        returned = !isArray(values);
        exported = returned ? [] : values;
        let declared = '';
        for (let i = 0; i < exported.length; i++) declared += exported[i] === undefined ? '0' : '1';
        return ['loaded', declared];
      }),
    ),
  /**
   * Runs a test program with what it may replace and the values of the names. Its result, the sentinel, proves that it
   * ran to its end.
   */
  test: (source, isSloppy) =>
    enter(() => {
      closeBuiltIns();
      const values = [replaceable];
      for (let i = 0; i < exported.length; i++) {
        const value = exported[i];
        if (value !== undefined) values[values.length] = isSloppy ? behindStrict(value) : value;
      }
      const body = indirectEval(source);
      return settle(apply(body, undefined, values), (value) => ['value', encode(value)]);
    }),
  /** Calls the entry point, which is a function or a method of a class, and encodes its result. */
  call: (name, method, args) =>
    enter(() => {
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
  /** Runs one more turn of the event loop. `['idle']` if a promise is open and nothing can settle it. */
  poll: () =>
    enter(() => {
      if (settled !== undefined) return settled;
      if (runNext()) return settled ?? PENDING;
      return settled ?? ['idle'];
    }),
  /** Runs one more turn of a program that has no result to return. `['drained']` at its end. */
  drain: () => enter(() => (runNext() ? PENDING : finishProgram())),
  /** The same for a test program that ran to its end: an interval that still runs is not a failure. */
  linger: () => enter(() => (!isQuietFor(LINGER_MS) && runNext() ? PENDING : finishProgram())),
  /** Everything printed so far. */
  stdout: stdoutText,
  stderr: stderrText,
  /** Whether the program or its tests ever set an exit code of a failure. */
  failed: () => BaseString(exitCode.everSet),
  /** The exit code of a program that ended by itself. */
  exitCode: () => attempt(() => BaseString(guestProcess.exitCode ?? 0)),
  /** The argument of `process.exit`, empty if it was not called. */
  exited: () => exited.code ?? '',
};

/** The one function that the cell holds. */
const drive = (name, ...values) => apply(entries[name], undefined, values);

/** Runs first in every context, also in one that starts from a snapshot. Returns the driver's function. */
export const arrive = () => {
  for (const name of RETURNING) delete G[name];
  delete G.arrive; // the snapshot keeps it there
  return drive;
};
