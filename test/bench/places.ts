import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. This file runs from `.cache/bench/build/bench`. */
export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
/** Results and installed peers; not part of the repository. */
export const CACHE = join(ROOT, '.cache', 'bench')
export const PEERS = join(CACHE, 'peers')
/** A compiled file of the suite. */
export const compiled = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Another checkout, installed and built, to compare with: `ENTIGRID_BENCH_BEFORE`. */
export const BEFORE = process.env['ENTIGRID_BENCH_BEFORE']
