import { useQuery } from '@tanstack/react-query'
import { api, ok } from '@/api/client'
import type { Problem } from '@/api/problem'
import type { components } from '@/api/schema'

export type BulkJob = components['schemas']['BulkOut']
export type BulkStation = components['schemas']['BulkStationOut']
export type Preview = components['schemas']['PreviewOut']

export const STATES: Readonly<Record<string, string>> = {
  running: 'Running',
  done: 'Done',
  cancelled: 'Cancelled',
  interrupted: 'Interrupted',
}

/** Follows a job while it runs. */
export function useJob(jobId: string) {
  return useQuery<BulkJob, Problem>({
    queryKey: ['bulk', jobId],
    queryFn: () => ok(api.GET('/api/bulk/{jobId}', { params: { path: { jobId } } })),
    refetchInterval: (query) => (query.state.data?.state === 'running' ? 1000 : false),
  })
}

/** Whom a call shall reach, as the API takes it. */
export interface Selection {
  all?: boolean
  ids?: readonly string[]
  siteId?: string
  vendor?: string
  model?: string
  firmwareVersion?: string
  text?: string
  online?: boolean
}

export interface Criteria {
  who: 'chosen' | 'matching' | 'all'
  ids: readonly string[]
  siteId: string
  vendor: string
  model: string
  firmwareVersion: string
  text: string
  online: boolean
}

/** Returns the selection of a form; null where it says nothing. */
export function selectionOf(criteria: Criteria): Selection | null {
  const online = criteria.online ? { online: true } : {}
  if (criteria.who === 'all') return { all: true, ...online }
  if (criteria.who === 'chosen') return criteria.ids.length > 0 ? { ids: criteria.ids, ...online } : null
  const { siteId, vendor, model, firmwareVersion, text } = criteria
  const given = Object.entries({ siteId, vendor, model, firmwareVersion, text })
    .map(([name, value]) => [name, value.trim()] as const)
    .filter(([, value]) => value !== '')
  return given.length > 0 ? { ...Object.fromEntries(given), ...online } : null
}

/** Returns how much of a job has come to an end, 0 to 1. */
export function progressOf({ total, waiting }: Pick<BulkJob, 'total' | 'waiting'>): number {
  return total === 0 ? 1 : (total - waiting) / total
}

/** Returns a status of a job in words: `DownloadFailed` -> `Download failed`. */
export function statusWords(status: string): string {
  const words = status.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
