/** Which sessions are shown. */

import { momentOf } from '@/parts/days'

export interface Search {
  status?: 'completed' | undefined
  stationId?: string | undefined
  idTag?: string | undefined
  /** Days of the start, in the browser's zone; both in. */
  from?: string | undefined
  to?: string | undefined
}

/** Returns the query of the API for what is chosen; those that run are not asked for by day. */
export function queryOf(search: Search, site: string | null): string {
  const completed = search.status === 'completed'
  const query = new URLSearchParams({ status: completed ? 'completed' : 'active' })
  if (search.stationId) query.set('stationId', search.stationId)
  if (site !== null) query.set('siteId', site)
  const idTag = search.idTag?.trim()
  if (idTag) query.set('idTag', idTag)
  const [from, to] = [momentOf(search.from), momentOf(search.to, true)]
  if (completed && from) query.set('from', from)
  if (completed && to) query.set('to', to)
  return query.toString()
}
