/** Asked to stop before there was anything to keep; the message says what did not happen. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
