/** Errors that tell a caller of the trainer what to do. */

/** The caller's signal aborted before there was anything to keep; the message says what was not done. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
