import { useQuery } from '@tanstack/react-query'
import { api, ok } from '@/api/client'
import type { Problem } from '@/api/problem'
import type { Place } from './geo'

const PAGE = 1000
const MOST_PAGES = 20

/** Asks where the stations are that have coordinates: id -> place. They hardly ever move. */
export function usePlaces() {
  return useQuery<ReadonlyMap<string, Place>, Problem>({
    queryKey: ['stations', 'places'],
    staleTime: 60_000,
    queryFn: async () => {
      const places = new Map<string, Place>()
      let cursor: string | null = null
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const query: { limit: number; cursor?: string } = { limit: PAGE }
        if (cursor !== null) query.cursor = cursor
        const found: { items: { id: string; location: unknown }[]; nextCursor: string | null } = await ok(
          api.GET('/api/stations', { params: { query } }),
        )
        for (const { id, location } of found.items) {
          const place = placeOf(location)
          if (place !== null) places.set(id, place)
        }
        cursor = found.nextCursor ?? null
        if (cursor === null) break
      }
      return places
    },
  })
}

/** Returns the coordinates of a location; null where it is words only. */
export function placeOf(location: unknown): Place | null {
  if (typeof location !== 'object' || location === null) return null
  const { lat, lon } = location as Partial<Place>
  return typeof lat === 'number' && typeof lon === 'number' ? { lat, lon } : null
}
