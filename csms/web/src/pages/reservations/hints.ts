import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useRef } from 'react'
import { live } from '@/live/hooks'
import type { LiveStation } from '@/live/types'
import { useNow } from '@/parts/clock'
import type { Reservation } from './booking'

const OPEN = new Set(['active', 'pending'])
const PAUSE_MS = 400

/** Returns after how many seconds a list is asked for anew: soon while a station has not answered. */
export function everyS(found: readonly Reservation[]): number {
  return found.some(({ status }) => status === 'pending') ? 2 : 20
}

/**
 * Returns what of the stations bears on reservations, as a text that is another when that changes.
 *
 * Everywhere which connectors are reserved; of stations where something is open also their
 * connectors' states, sessions and whether they are there.
 */
export function signOf(stations: readonly LiveStation[], watched: ReadonlySet<string>): string {
  const parts: string[] = []
  for (const { id, online, connectors } of stations) {
    const all = watched.has(id)
    if (all) parts.push(`${id} ${online}`)
    for (const { connectorId, status, sessionId } of connectors)
      if (all) parts.push(`${connectorId} ${status} ${sessionId}`)
      else if (status === 'Reserved') parts.push(`${id} ${connectorId}`)
  }
  return parts.join()
}

/** Returns whether one that is open has reached its end since a moment. */
export function endedSince(found: readonly Reservation[], since: number, now: number): boolean {
  return found.some(({ status, expiresAt }) => {
    const end = Date.parse(expiresAt)
    return OPEN.has(status) && end > since && end <= now
  })
}

/** Asks for reservations anew when what happens at stations, or time, may have changed them. */
export function useReservationHints(found: readonly Reservation[] | undefined): void {
  const queries = useQueryClient()
  // a list that is the same is another array each time
  const open = (found ?? []).filter(({ status }) => OPEN.has(status)).map(({ stationId }) => stationId)
  const names = [...new Set(open)].sort().join('\n')
  const watched = useMemo(() => new Set(names.split('\n')), [names])

  useEffect(() => {
    const { stations } = live.topics
    let sign = signOf(stations.all(), watched)
    let timer: ReturnType<typeof setTimeout> | null = null
    const leave = stations.subscribe(() => {
      const now = signOf(stations.all(), watched)
      if (now === sign) return
      sign = now
      // several connectors of a station change together
      timer ??= setTimeout(() => {
        timer = null
        void queries.invalidateQueries({ queryKey: ['reservations'] })
      }, PAUSE_MS)
    })
    return () => {
      leave()
      if (timer === null) return
      // what has been seen is asked for, though other stations are looked at from now on
      clearTimeout(timer)
      void queries.invalidateQueries({ queryKey: ['reservations'] })
    }
  }, [watched, queries])

  const now = useNow()
  const before = useRef(now)
  useEffect(() => {
    // a second later, so that the server's clock has come there too
    const due = endedSince(found ?? [], before.current - 1000, now - 1000)
    before.current = now
    if (due) void queries.invalidateQueries({ queryKey: ['reservations'] })
  }, [found, now, queries])
}
