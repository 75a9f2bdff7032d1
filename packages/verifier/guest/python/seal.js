/**
 * Seals a booted Pyodide: keeps the few functions of its wasm module that run a job, copies its memory, and removes
 * everything else from the realm. Its completion value has the functions that the cell calls: `run`, `restore`, `put`.
 */
(() => {
  globalThis.__py.runPython('_finish()');
  const { _module: module } = globalThis.__py;
  const exported = module.wasmExports ?? {};
  const find = (name) => module[`_${name}`] ?? exported[name];
  const need = (name) => {
    const found = find(name);
    if (typeof found !== 'function') throw new Error(`Pyodide has no ${name}`);
    return found;
  };
  const malloc = need('malloc');
  const free = need('free');
  const sbrk = need('sbrk');
  const textToObject = need('PyUnicode_FromStringAndSize');
  const callOne = need('PyObject_CallOneArg');
  const objectToText = need('PyUnicode_AsUTF8AndSize');
  const stackPointer = (module.stackSave ?? find('emscripten_stack_get_current'))();
  const restoreStack = module.stackRestore ?? find('_emscripten_stack_restore');
  const { FS } = module;
  const { apply } = Reflect;
  const { set, fill } = Uint8Array.prototype;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const gate = globalThis.__gate;
  const resetChance = globalThis.__resetChance;

  const place = (text) => {
    const bytes = encoder.encode(text);
    const at = malloc(bytes.length + 1);
    apply(set, module.HEAPU8, [bytes, at]);
    module.HEAPU8[at + bytes.length] = 0;
    return { at, length: bytes.length };
  };
  const main = need('PyImport_AddModule')(place('__main__').at);
  const runner = need('PyObject_GetAttrString')(main, place('__run_job').at);
  if (!runner) throw new Error('the runner is not in the snapshot');

  /** The open streams and their positions, before any program closes, moves or replaces one. */
  const streams = FS.streams.map(
    (stream) => stream && { stream, fd: stream.fd, flags: stream.flags, position: stream.position },
  );
  const top = sbrk(0);
  const imagePages = Math.ceil(top / 65536);
  const image = new WebAssembly.Memory({ initial: imagePages, maximum: imagePages });
  globalThis.__copyPages(new Uint8Array(image.buffer), module.HEAPU8.subarray(0, top));
  const { restore: putBack } = new WebAssembly.Instance(
    new WebAssembly.Module(globalThis.__restorer),
    { restore: { heap: globalThis.__memory, image } },
  ).exports;

  for (const name of [
    'read',
    'readbuffer',
    'load',
    'os',
    '__readFile',
    '__boot',
    '__py',
    '__pump',
    '__snapshot',
    '__copyPages',
    '__memory',
    '__restorer',
    '__gate',
    '__resetChance',
    'WebAssembly',
    'SharedArrayBuffer',
    'Atomics',
  ]) {
    delete globalThis[name];
  }

  const HOME = '/home/pyodide';
  /** How to remove each file and folder of this program, in the order in which they were made. */
  let removals = [];

  /** Adds a file beside the program. The gate refuses writes while a program runs, so this runs before. */
  const put = (path, buffer) => {
    const parts = path.split('/');
    let at = HOME;
    for (const part of parts.slice(0, -1)) {
      at += `/${part}`;
      if (FS.analyzePath(at).exists) continue;
      const folder = at;
      FS.mkdir(folder);
      removals.push(() => FS.rmdir(folder));
    }
    const file = `${HOME}/${path}`;
    FS.writeFile(file, new Uint8Array(buffer));
    removals.push(() => FS.unlink(file));
  };

  const removeFiles = () => {
    for (const remove of removals.reverse()) remove();
    removals = [];
  };

  /** Restores everything to the state in which it was sealed. Returns the size of the memory in bytes. */
  const restore = () => {
    gate.closed = false;
    gate.hit = undefined;
    resetChance();
    const heap = module.HEAPU8;
    const now = sbrk(0);
    putBack(0, (top + 4095) & ~4095);
    if (now > top) apply(fill, heap, [0, top, now]);
    restoreStack(stackPointer);
    FS.streams = streams.map((kept) => {
      if (!kept) return null;
      const { stream, ...state } = kept;
      return Object.assign(stream, state);
    });
    FS.currentPath = HOME;
    removeFiles();
    return heap.length;
  };

  /** The UTF-8 text of a Python string, at most `max` bytes of it. */
  const textOf = (object, max) => {
    const sizeAt = malloc(4);
    const at = objectToText(object, sizeAt);
    if (!at) return '!unreadable';
    const heap = module.HEAPU8;
    const size =
      heap[sizeAt] | (heap[sizeAt + 1] << 8) | (heap[sizeAt + 2] << 16) | (heap[sizeAt + 3] << 24);
    return size < 0 || size > max ? '!output' : decoder.decode(heap.subarray(at, at + size));
  };

  /** Runs one job. Returns the JSON of the runner, or `!` and the reason why there is none. */
  const run = (job, max) => {
    const text = place(job);
    const argument = textToObject(text.at, text.length);
    free(text.at);
    gate.closed = true;
    let result;
    try {
      result = callOne(runner, argument);
    } catch (error) {
      gate.closed = false;
      if (gate.hit) return `!violation ${gate.hit}`;
      return `!crash ${String(error?.message ?? error).slice(0, 200)}`;
    }
    gate.closed = false;
    if (gate.hit) return `!violation ${gate.hit}`;
    return result ? textOf(result, max) : '!crash the runner failed';
  };
  return { run, restore, put };
})();
