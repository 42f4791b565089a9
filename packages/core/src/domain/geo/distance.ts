/** Mean radius of the Earth in metres, as the official tests of `within` need it: see IUGG, R1. */
export const EARTH_RADIUS = 6_371_008.77

const RADIANS = Math.PI / 180

/** Great-circle distance in metres between two points in degrees, by the haversine formula. */
export const distance = (
  latitude1: number,
  longitude1: number,
  latitude2: number,
  longitude2: number,
): number => {
  const [north1, north2] = [latitude1 * RADIANS, latitude2 * RADIANS]
  const a =
    Math.sin((north2 - north1) / 2) ** 2 +
    Math.cos(north1) * Math.cos(north2) * Math.sin(((longitude2 - longitude1) * RADIANS) / 2) ** 2
  return 2 * EARTH_RADIUS * Math.asin(Math.min(1, Math.sqrt(a)))
}
