import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, useState } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { live } from '@/live/hooks'
import type { LiveStation } from '@/live/types'
import type { Reservation } from './booking'
import { useReservationHints } from './hints'

let root: Root
let setFound: (found: Reservation[]) => void
const queries = new QueryClient()

function reserved(...stations: string[]): Reservation[] {
  return stations.map(
    (stationId) => ({ stationId, status: 'active', expiresAt: '2999-01-01T00:00:00Z' }) as Reservation,
  )
}

function shows(status: string): void {
  const connectors = [{ connectorId: 1, status, sessionId: null }]
  live.topics.stations.change([{ id: 'A', online: true, connectors } as unknown as LiveStation])
}

function Probe() {
  const [found, set] = useState(reserved('A'))
  setFound = set
  useReservationHints(found)
  return null
}

beforeEach(async () => {
  vi.useFakeTimers()
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  vi.spyOn(queries, 'invalidateQueries').mockResolvedValue()
  live.topics.stations.snapshot([])
  shows('Reserved')
  root = createRoot(document.createElement('div'))
  await act(async () =>
    root.render(
      <QueryClientProvider client={queries}>
        <Probe />
      </QueryClientProvider>,
    ),
  )
})

afterEach(async () => {
  await act(async () => root.unmount())
  live.topics.stations.snapshot([])
  vi.restoreAllMocks()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it.each([
  ['the same stations', ['A']],
  ['other stations', ['A', 'B']],
])('asks anew after a change though the list has come meanwhile, with %s', async (_, stations) => {
  shows('Charging')
  await act(async () => setFound(reserved(...stations)))
  await act(async () => vi.advanceTimersByTime(1000))
  expect(queries.invalidateQueries).toHaveBeenCalledWith({ queryKey: ['reservations'] })
})

it('asks for nothing while nothing changes', async () => {
  await act(async () => setFound(reserved('A', 'B')))
  shows('Reserved')
  await act(async () => vi.advanceTimersByTime(1000))
  expect(queries.invalidateQueries).not.toHaveBeenCalled()
})
