import type { AppCatalog } from './catalog.js'

/** Another process has made a collection, or changed one, since the catalog was read. */
export class StaleCatalog extends Error {
  override readonly name = 'StaleCatalog'
}

/** @throws {StaleCatalog} */
export const collectionNameIn = (catalog: AppCatalog, id: number): string => {
  const known = catalog.byId.get(id)
  if (known === undefined) throw new StaleCatalog(`No collection has the id ${id}`)
  return known.name
}
