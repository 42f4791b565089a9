/** A setting that cannot be used. The message names its key and where it was found, and fits on a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
