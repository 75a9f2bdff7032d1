/** The one error class of the engine, with a code that says whose mistake it was. */

/**
 * Why the engine refused or failed.
 * - `config`: an option or a model configuration is invalid or not supported
 * - `input`: prompts, tokens or training data of a call are invalid
 * - `file`: a file is missing, damaged or of an unsupported format; the message names it
 * - `memory`: the work does not fit in the memory that it may use
 * - `unavailable`: a package, backend or device is missing; the message says how to get it
 * - `network`: a download failed
 * - `numeric`: a result is not finite, so that nothing can be sampled or no step taken
 * - `internal`: a defect of the engine
 */
export type EngineErrorCode =
  | 'config'
  | 'input'
  | 'file'
  | 'memory'
  | 'unavailable'
  | 'network'
  | 'numeric'
  | 'internal';

const MARK = Symbol.for('cipo.EngineError');

/** An error that the engine throws. Its message names the field or file, what was expected and what was found. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  readonly [MARK] = true;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether a caught value is an EngineError, also if another copy of the package threw it. */
  static isInstance(error: unknown): error is EngineError {
    return typeof error === 'object' && error !== null && MARK in error;
  }
}
