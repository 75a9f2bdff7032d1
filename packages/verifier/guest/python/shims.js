/**
 * What Pyodide expects of a browser and an isolate does not have, and the gate in front of the wasm imports: while a
 * program runs, no import is called that could reach JavaScript, the network or the file system. A plain script that
 * the cell evaluates before it loads Pyodide.
 */
(() => {
  const G = globalThis;
  const nothing = () => undefined;
  G.self = G;
  G.console = {
    log: nothing,
    warn: nothing,
    error: nothing,
    info: nothing,
    debug: nothing,
    trace: nothing,
  };

  const decodeUtf8 = (bytes) => {
    let text = '';
    let units = [];
    for (let i = 0; i < bytes.length; ) {
      let code = bytes[i++];
      const more = code < 0x80 ? 0 : code < 0xe0 ? 1 : code < 0xf0 ? 2 : 3;
      if (more > 0) code &= 0x3f >> more;
      for (let k = 0; k < more; k++) code = (code << 6) | (bytes[i++] & 63);
      if (code >= 0x10000) {
        units.push(0xd800 + ((code - 0x10000) >> 10));
        code = 0xdc00 + ((code - 0x10000) & 0x3ff);
      }
      units.push(code);
      if (units.length > 4096) {
        text += String.fromCharCode.apply(null, units);
        units = [];
      }
    }
    return text + String.fromCharCode.apply(null, units);
  };

  const decodeUtf16 = (bytes) => {
    let text = '';
    for (let i = 0; i + 1 < bytes.length; i += 2)
      text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
    return text;
  };

  const bytesOf = (data) => {
    if (data instanceof Uint8Array) return data;
    if (ArrayBuffer.isView(data))
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return new Uint8Array(data);
  };

  G.TextDecoder = class TextDecoder {
    constructor(label = 'utf-8') {
      this.encoding = label.toLowerCase();
    }
    decode(data) {
      if (!data) return '';
      return this.encoding === 'utf-16le' ? decodeUtf16(bytesOf(data)) : decodeUtf8(bytesOf(data));
    }
  };

  const codeAt = (text, i) => {
    const high = text.charCodeAt(i);
    if (high < 0xd800 || high >= 0xe000) return high;
    const low = high < 0xdc00 && i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    if (low < 0xdc00 || low >= 0xe000) return 0xfffd;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  };

  const encodeUtf8 = (text, into) => {
    let at = 0;
    let read = 0;
    for (; read < text.length; read++) {
      const code = codeAt(text, read);
      const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      if (at + size > into.length) break;
      if (size === 1) into[at++] = code;
      else {
        into[at++] = ((0xf00 >> size) & 0xff) | (code >> (6 * (size - 1)));
        for (let k = size - 2; k >= 0; k--) into[at++] = 0x80 | ((code >> (6 * k)) & 63);
      }
      if (size === 4) read++;
    }
    return { read, written: at };
  };

  G.TextEncoder = class TextEncoder {
    encoding = 'utf-8';
    encode(text = '') {
      const room = new Uint8Array(text.length * 3);
      return room.slice(0, encodeUtf8(text, room).written);
    }
    encodeInto(text, into) {
      return encodeUtf8(text, into);
    }
  };

  // Random numbers and time are the same in every run.
  let seed = 12345;
  const nextByte = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) | 0;
    return (seed >>> 16) & 255;
  };
  G.crypto = {
    getRandomValues(target) {
      const bytes = bytesOf(target);
      for (let i = 0; i < bytes.length; i++) bytes[i] = nextByte();
      return target;
    },
  };
  const START_MS = 1_700_000_000_000;
  G.__resetChance = () => {
    seed = 12345;
  };
  G.performance = { now: () => 0, timeOrigin: START_MS };
  Date.now = () => START_MS;

  // Outside of a browser Pyodide reads random bytes with a shell command. This replaces the shell.
  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  G.os = {
    system(_command, args) {
      const count = +/-c(\d+)/.exec(args[1])[1];
      let text = '';
      for (let i = 0; i < Math.ceil(count / 3) * 4; i++) text += LETTERS[nextByte() & 63];
      const pad = (3 - (count % 3)) % 3;
      return pad ? text.slice(0, -pad) + '=='.slice(0, pad) : text;
    },
  };

  const waiting = [];
  let lastTimer = 0;
  G.setTimeout = (action, _delay, ...args) => {
    waiting.push([++lastTimer, action, args]);
    return lastTimer;
  };
  G.clearTimeout = (id) => {
    const at = waiting.findIndex(([own]) => own === id);
    if (at >= 0) waiting.splice(at, 1);
  };
  G.setInterval = () => 0;
  G.clearInterval = nothing;
  G.queueMicrotask ??= (action) => Promise.resolve().then(action);
  /** Runs one timer. The cell calls it while Pyodide boots. */
  G.__pump = () => {
    const next = waiting.shift();
    if (next) next[1](...next[2]);
    return waiting.length;
  };

  G.load = () => {
    throw new Error('load');
  };
  G.AbortController = class {
    signal = { aborted: false, addEventListener: nothing, removeEventListener: nothing };
    abort() {
      this.signal.aborted = true;
    }
  };
  G.URL = class URL {
    constructor(address) {
      this.href = address;
    }
    toString() {
      return this.href;
    }
  };
  for (const name of ['AbortSignal', 'Headers', 'Response', 'Request', 'Event', 'EventTarget']) {
    G[name] = class {};
  }

  /** Copies pages that are not zero: a page that is never written uses no memory. */
  G.__copyPages = (target, source) => {
    for (let at = 0; at < source.length; at += 4096) {
      const page = source.subarray(at, at + 4096);
      if (page.some((byte) => byte !== 0)) target.set(page, at);
    }
  };

  // ---- the gate
  const READ_ONLY_ERROR = 69;
  const NO_TERMINAL_ERROR = 59;
  const WRITE_FLAGS = 1 | 2 | 64 | 512 | 1024;
  const gate = { closed: false, hit: undefined };
  const VIOLATION = { violation: true };
  /** Imports that lead to JavaScript objects, dynamic loading or sockets. */
  const FORBIDDEN =
    /^(?:Js|_Js|Jsv|js2python|_?python2js|_?pyproxy|raw_call_js|ffi_|create_once|create_promise|array_to_js|proxy_cache|_agen|set_pyodide|is_comlink|handle_next|can_run|get_async|wrap_|_maybe_|destroy_|emscripten_asm_const|emscripten_promise|_?_?dlopen|_emscripten_dlopen|_?_?dlsym|_emscripten_system|emscripten_debugger|_setitimer|getaddrinfo|getnameinfo|__syscall_(?:socket|bind|connect|listen|accept4|sendto|sendmsg|recvfrom|recvmsg|getsockname|getpeername|getsockopt|poll|pipe)|emscripten_set_up_async|__hiwire|gc_register|set_suspender|syncify|_mmap_js|_msync_js)/;
  /** Imports that change the file system. They fail as on a read-only disk. */
  const WRITING =
    /^__syscall_(?:mkdirat|mknodat|unlinkat|rmdir|renameat|symlinkat|truncate64|ftruncate64|chmod|fchmod|fchmodat2|fchownat|fchown32|utimensat|chdir|fchdir|umask_js|fallocate)$/;

  /** @returns {(((...args: any[]) => unknown) & { sig?: string, isAsync?: boolean }) | undefined} */
  const gated = (name, own) => {
    if (name === '__syscall_openat') {
      return (folder, path, flags, mode) =>
        gate.closed && flags & WRITE_FLAGS ? -READ_ONLY_ERROR : own(folder, path, flags, mode);
    }
    if (name === '__syscall_ioctl') {
      return (...args) => (gate.closed ? -NO_TERMINAL_ERROR : own(...args));
    }
    if (WRITING.test(name)) return (...args) => (gate.closed ? -READ_ONLY_ERROR : own(...args));
    if (!FORBIDDEN.test(name)) return undefined;
    return (...args) => {
      if (gate.closed) {
        gate.hit ??= name;
        throw VIOLATION;
      }
      return own(...args);
    };
  };

  const harden = (imports) => {
    const env = imports?.env;
    for (const name of Object.keys(env ?? {})) {
      const own = env[name];
      const wrapper = typeof own === 'function' ? gated(name, own) : undefined;
      if (!wrapper) continue;
      if ('sig' in own) wrapper.sig = own.sig;
      if ('isAsync' in own) wrapper.isAsync = own.isAsync;
      env[name] = wrapper;
    }
    return imports;
  };

  // Compiles synchronously: the isolate has no event loop while the cell waits.
  const { Module, Instance } = WebAssembly;
  /** The first module is Python itself. Pyodide does not expose its memory. */
  const started = (module, imports) => {
    const instance = new Instance(module, imports);
    G.__memory ??= instance.exports.memory;
    return instance;
  };
  WebAssembly.compile = async (bytes) => new Module(bytes);
  WebAssembly.instantiate = async (source, imports) => {
    const hardened = harden(imports);
    if (source instanceof Module) return started(source, hardened);
    const module = new Module(source);
    return { module, instance: started(module, hardened) };
  };
  G.__gate = gate;
})();
