export { cellKey, coveringRanges, decodeCell } from './geo/cells.js'
export { distance, EARTH_RADIUS } from './geo/distance.js'
export { isOnGlobe, normaliseLocation, normaliseLocations, type Point, pointAt } from './geo/location.js'
