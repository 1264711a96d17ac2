import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { api, ok, sendJson } from '@/api/client'
import type { Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import { useSite as useLiveSite, useStations } from '@/live/hooks'
import type { LiveStation } from '@/live/types'
import type { Site } from './form'
import { type History, type Range, type Sample, withSample } from './history'

export type Consequence = components['schemas']['ConsequenceOut']
export type Status = components['schemas']['StatusOut']
export type SiteRules = components['schemas']['RulesOut']
export type SiteLimit = components['schemas']['SiteLimitOut']
export type SiteMeter = components['schemas']['MeterStateOut']

const ONE = { refetchInterval: 60_000 } as const

/** Returns the path of a site's resource: `/api/sites/depot/limits`. */
export function pathOf(siteId: string, rest = ''): string {
  return `/api/sites/${encodeURIComponent(siteId)}${rest}`
}

/** Asks for a site as it is set up. */
export function useSiteSetup(siteId: string) {
  return useQuery<Site, Problem>({
    queryKey: ['sites', siteId],
    queryFn: () => ok(api.GET('/api/sites/{siteId}', { params: { path: { siteId } } })),
    ...ONE,
  })
}

export function useRules(siteId: string) {
  return useQuery<SiteRules, Problem>({
    queryKey: ['sites', siteId, 'rules'],
    queryFn: () => ok(api.GET('/api/sites/{siteId}/rules', { params: { path: { siteId } } })),
  })
}

export function useLimits(siteId: string) {
  return useQuery<{ items: SiteLimit[] }, Problem>({
    queryKey: ['sites', siteId, 'limits'],
    queryFn: () => sendJson('GET', pathOf(siteId, '/limits?limit=200')),
    ...ONE,
  })
}

export function useMeter(siteId: string) {
  return useQuery<SiteMeter, Problem>({
    queryKey: ['sites', siteId, 'meter'],
    queryFn: () => ok(api.GET('/api/sites/{siteId}/meter', { params: { path: { siteId } } })),
    refetchInterval: 5_000,
  })
}

/** Returns a function that asks anew for all that is known of a site. */
export function useRefresh(siteId: string): () => Promise<void> {
  const queries = useQueryClient()
  return () => queries.invalidateQueries({ queryKey: ['sites', siteId] })
}

/** Returns the stations of a site as they are now. */
export function useStationsOf(siteId: string): readonly LiveStation[] {
  const stations = useStations()
  return useMemo(() => stations.filter((station) => station.siteId === siteId), [stations, siteId])
}

/** Returns what a station draws, kW; of one that is offline nobody knows it, and nothing is shown. */
export function powerOf(station: LiveStation): number {
  if (!station.online) return 0
  return station.connectors.reduce((sum, { powerKw }) => sum + (powerKw ?? 0), 0)
}

/** Asks for a site's power over time. */
export function useHistory(siteId: string, range: Range) {
  return useQuery<History, Problem>({
    queryKey: ['sites', siteId, 'power', range.value],
    queryFn: () => {
      const from = new Date(Date.now() - range.seconds * 1000).toISOString()
      return ok(
        api.GET('/api/sites/{siteId}/power', {
          params: { path: { siteId }, query: { from, stepS: range.stepS, top: 9 } },
        }),
      )
    },
    refetchInterval: Math.min(range.stepS, 300) * 1000,
    placeholderData: keepPreviousData,
  })
}

/** Returns what the live link has told of a site since its kept history ends. */
export function useTail(siteId: string, history: History | undefined): readonly Sample[] {
  const stations = useStationsOf(siteId)
  const site = useLiveSite(siteId)
  const [tail, setTail] = useState<readonly Sample[]>([])
  const everyS = (history?.stepS ?? 60) / 30
  const keptUntil = Date.parse(history?.times.at(-1) ?? '') / 1000
  useEffect(() => {
    if (site === undefined || Number.isNaN(keptUntil)) return
    const byStation = new Map(stations.map((station) => [station.id, powerOf(station)]))
    const sample: Sample = {
      at: Math.floor(Date.now() / 1000),
      byStation,
      limitKw: site.limitKw,
      batteryKw: site.battery?.powerKw ?? null,
      meterKw: site.meterKw,
      solarKw: site.solarKw ?? null,
    }
    setTail((before) => withSample(before, sample, keptUntil, everyS))
  }, [stations, site, keptUntil, everyS])
  return tail
}

/**
 * Asks what would be decided if a site were otherwise; null: nothing to ask.
 *
 * The last answer stays until the next one is there.
 */
export function useWhatIf(siteId: string, supposed: object | null) {
  const text = supposed === null ? null : JSON.stringify(supposed)
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 300)
    return () => clearTimeout(timer)
  }, [text])
  const asked = useQuery<Consequence, Problem>({
    queryKey: ['sites', siteId, 'what-if', settled],
    queryFn: () => sendJson('POST', pathOf(siteId, '/what-if'), JSON.parse(settled ?? '{}')),
    enabled: settled !== null,
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 10_000,
  })
  const waiting = text !== settled || asked.isFetching
  return { found: text === null ? undefined : asked.data, error: text === null ? null : asked.error, waiting }
}
