import type { Target } from './target.js'

/** The target of this name, which is the name of its file. */
export const loadTarget = async (name: string): Promise<Target> => {
  const file = new URL(`./targets/${name}.js`, import.meta.url).href
  return ((await import(file)) as { target: Target }).target
}
