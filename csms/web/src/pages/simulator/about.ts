import { useQuery } from '@tanstack/react-query'
import { sendJson } from '@/api/client'
import type { Problem } from '@/api/problem'

/** Whether there is a simulator, and what it can do. */
export interface About {
  configured: boolean
  reachable: boolean
  makesStations: boolean
  detail: string | null
}

const ABOUT = ['simulator', 'about'] as const

function ask(): Promise<About> {
  return sendJson<About>('GET', '/api/simulator')
}

export function useAbout() {
  return useQuery<About, Problem>({
    queryKey: ABOUT,
    queryFn: ask,
    // it may be started or stopped any time
    refetchInterval: (query) => (query.state.data?.configured === false ? false : 5000),
  })
}

/** Returns whether the settings name a simulator; asked once, for the navigation. */
export function useConfigured(): boolean {
  const { data } = useQuery<About, Problem>({
    queryKey: ABOUT,
    queryFn: ask,
    staleTime: Number.POSITIVE_INFINITY,
  })
  return data?.configured ?? false
}
