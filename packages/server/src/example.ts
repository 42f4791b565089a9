import { ConfigError } from './config.js'
import type { Engine } from './engine.js'

interface Example {
  load(
    engine: Engine,
    target: { organization: string; application: string; progress: (message: string) => void },
  ): Promise<void>
}

/**
 * The example of that name, from the package @entigrid/example-NAME.
 * @throws {ConfigError} if it is not installed
 */
export const findExample = async (name: string): Promise<Example> => {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name))
    throw new ConfigError(`--load ${JSON.stringify(name)} is not a name`)
  const specifier = `@entigrid/example-${name}`
  try {
    return (await import(specifier)) as Example
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new ConfigError(`The example ${name} is not installed. Install ${specifier}, or leave out --load`)
  }
}
