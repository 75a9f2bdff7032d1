/** Types for the type check of the guest (`tsconfig.guest.json`): globals that no library of TypeScript without DOM or Node has. */

interface Error {
  /** Node's error code. */
  code?: string;
  /** The text of which `URL` could not be made. */
  input?: string;
}

/** Implemented by the guest itself. */
declare var TextEncoder: new () => { encode(text?: string): Uint8Array };
declare var TextDecoder: new (
  label?: string,
) => { decode(bytes?: ArrayBuffer | ArrayBufferView): string };

/** Present while Python boots. `guest/python/seal.js` removes it. */
declare namespace WebAssembly {
  class Memory {
    constructor(size: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
  }
  class Module {
    constructor(bytes: BufferSource);
  }
  class Instance {
    constructor(module: Module, imports?: object);
    // biome-ignore lint/suspicious/noExplicitAny: the exports depend on the module
    readonly exports: any;
  }
  type BufferSource = ArrayBuffer | ArrayBufferView;
  let compile: (bytes: BufferSource) => Promise<Module>;
  let instantiate: (source: BufferSource | Module, imports?: object) => Promise<unknown>;
}
