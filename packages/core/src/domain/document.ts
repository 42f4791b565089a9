import type { JsonObject } from './json.js'

/** An entity as it is stored: `uuid` first, even before properties whose names are numbers. */
export const documentText = ({ uuid, ...rest }: JsonObject): string =>
  `{"uuid":"${uuid as string}",${JSON.stringify(rest).slice(1)}`
