import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { api, ok, sendJson } from '@/api/client'
import { Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import { useStation as useLiveStation } from '@/live/hooks'
import type { LiveStation } from '@/live/types'
import { outcomeText } from '../stationcalls/Answer'
import type { Outcome } from '../stationcalls/catalogue'

export type Station = components['schemas']['StationOut']
export type Connector = components['schemas']['ConnectorOut']
export type Configuration = components['schemas']['ConfigurationOut']
export type Job = components['schemas']['JobOut']
export type Call = components['schemas']['CallOut']

/** Returns the path of a station's resource: `/api/stations/CP%201/calls`. */
export function pathOf(stationId: string, rest = ''): string {
  return `/api/stations/${encodeURIComponent(stationId)}${rest}`
}

/** Returns a station: what the API says of it, with what the live link has told since. */
export function useStation(stationId: string) {
  const live = useLiveStation(stationId)
  const queries = useQueryClient()
  const asked = useQuery<Station, Problem>({
    queryKey: ['stations', stationId],
    queryFn: () => ok(api.GET('/api/stations/{stationId}', { params: { path: { stationId } } })),
    refetchInterval: (query) => (query.state.error?.status === 404 ? false : 15_000),
  })
  // what the live link does not tell (boot, availability, messages of errors) has changed with this
  const signs =
    live && JSON.stringify([live.online, live.connectors.map(({ status, errorCode }) => [status, errorCode])])
  useEffect(() => {
    if (signs !== undefined)
      void queries.invalidateQueries({ queryKey: ['stations', stationId], exact: true })
  }, [signs, stationId, queries])
  return { station: asked.data && merged(asked.data, live), error: asked.error, refetch: asked.refetch }
}

/** Returns a station with the newer of what is known of it. */
export function merged(station: Station, live: LiveStation | undefined): Station {
  if (live === undefined) return station
  const byId = new Map(live.connectors.map((connector) => [connector.connectorId, connector]))
  const { connectors: _, ...facts } = live
  return {
    ...station,
    ...facts,
    connectors: station.connectors.map((connector) => ({ ...connector, ...byId.get(connector.connectorId) })),
  }
}

/** Sends a call; what the station does not accept is a `Problem` in its words. */
export async function call(
  stationId: string,
  action: string,
  body: Record<string, unknown>,
  also: readonly string[] = [],
): Promise<Outcome> {
  const answer = await sendJson<Outcome>('POST', pathOf(stationId, `/calls/${action}`), body)
  check(answer, also)
  return answer
}

type Checked = Pick<Outcome, 'outcome' | 'status'> & {
  errorCode?: string | null
  errorDescription?: string | null
}

/** Throws a `Problem` where a station has not accepted; statuses in `also` are fine too. */
export function check(answer: Checked, also: readonly string[] = []): void {
  if (answer.outcome === 'accepted' || also.includes(answer.status ?? '')) return
  const said = answer.status ?? answer.errorCode ?? outcomeText(answer.outcome)
  const more = answer.errorDescription ? ` (${answer.errorDescription})` : ''
  throw new Problem(409, 'refused', `The station answers: ${said}${more}.`)
}
