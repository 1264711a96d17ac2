import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { api, ok } from '@/api/client'
import type { Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import { useSession as useLiveSession } from '@/live/hooks'

export type Session = components['schemas']['SessionOut']
export type Reading = components['schemas']['MeterValuesOut']
export type Explanation = components['schemas']['ExplanationOut']
export type Moment = components['schemas']['HappeningOut']

/** Returns a session: what the API says of it, with what the live link has told since. */
export function useSession(sessionId: string) {
  const live = useLiveSession(sessionId)
  const queries = useQueryClient()
  const asked = useQuery<Session, Problem>({
    queryKey: ['sessions', sessionId],
    queryFn: () => ok(api.GET('/api/sessions/{sessionId}', { params: { path: { sessionId } } })),
    refetchInterval: 30_000,
  })
  // a completed session leaves the live link: its last word is asked for
  const status = live?.status
  const before = useRef(status)
  useEffect(() => {
    if (before.current !== status) void queries.invalidateQueries({ queryKey: ['sessions', sessionId] })
    before.current = status
  }, [status, sessionId, queries])
  // and holds until the answer is there: what has ended does not run once more meanwhile
  const last = useRef(live)
  useEffect(() => {
    if (live !== undefined) last.current = live
  }, [live])
  const told = live ?? (last.current?.id === sessionId ? last.current : undefined)
  const session =
    asked.data && told && asked.data.status === 'active' ? { ...asked.data, ...told } : asked.data
  return { session: session as Session | undefined, error: asked.error, refetch: asked.refetch }
}

const MOST_READINGS = 1000

/** Returns the newest readings of a session, the oldest first. */
export function useReadings(sessionId: string, active: boolean) {
  return useQuery<Reading[], Problem>({
    queryKey: ['sessions', sessionId, 'meter-values'],
    queryFn: async () => {
      const page = await ok(
        api.GET('/api/sessions/{sessionId}/meter-values', {
          params: { path: { sessionId }, query: { limit: MOST_READINGS } },
        }),
      )
      return [...page.items].reverse()
    },
    refetchInterval: active ? 10_000 : false,
  })
}

export function useExplanation(sessionId: string, active: boolean) {
  return useQuery<Explanation, Problem>({
    queryKey: ['sessions', sessionId, 'explanation'],
    queryFn: () => ok(api.GET('/api/sessions/{sessionId}/explanation', { params: { path: { sessionId } } })),
    refetchInterval: active ? 15_000 : false,
  })
}
