/**
 * Errors of the trainer by what the caller can do about them. Their names tell them apart across copies of the package.
 * Leaves out: bugs, which are plain errors; `EngineError` and `PluginError`, which pass through.
 */

/** A setting is invalid, or does not fit the model, the tasks or the machine. The message names the setting. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A file or folder is missing, damaged or of an unsupported kind. The message starts with its path. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/** The caller's signal aborted before there was anything to keep. The message says what was not done. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
