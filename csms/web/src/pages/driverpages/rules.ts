import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { sendJson } from '@/api/client'
import type { Problem } from '@/api/problem'
import { tellProblem } from '@/parts/notices'

export type Access = 'off' | 'idTag' | 'open'

/** What was said for a station or a site (null: nothing), and what holds. */
export interface Rules {
  access: Access | null
  plugFirst: boolean | null
  effective: { access: Access; plugFirst: boolean }
  /** Of a station: where the pages of its connectors are. */
  pages?: { connectorId: number; url: string }[]
}

export type Changes = Partial<Pick<Rules, 'access' | 'plugFirst'>>
export interface Subject {
  kind: 'site' | 'station'
  id: string
}

export const WORDS: Record<Access, string> = {
  off: 'No page',
  idTag: 'Start with a card’s code',
  open: 'Anybody may start',
}

/** Returns what a choice of "as the site (or the system) says" comes to. */
export function inherited(kind: Subject['kind'], rules: Rules): string {
  const from = kind === 'station' ? 'As the site says' : 'As the system says'
  return rules.access === null ? `${from}: ${WORDS[rules.effective.access].toLowerCase()}` : from
}

function pathOf({ kind, id }: Subject): string {
  return `/api/${kind === 'site' ? 'sites' : 'stations'}/${encodeURIComponent(id)}`
}

const rulesOf = (subject: Subject) => `${pathOf(subject)}/driver-page`

/** Returns the address of a sheet of labels. */
export function sheetOf(subject: Subject): string {
  return `${pathOf(subject)}/qr-sheet`
}

/** Returns the address of the picture of a connector's code. */
export function codeOf(stationId: string, connectorId: number): string {
  return `/api/stations/${encodeURIComponent(stationId)}/connectors/${connectorId}/qr.svg`
}

/** Returns whether an address leads nowhere but on this machine: no code to print. */
export function isLocal(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}

const keyOf = ({ kind, id }: Subject) => ['driver-page', kind, id]

export function useRules(subject: Subject) {
  return useQuery<Rules, Problem>({
    queryKey: keyOf(subject),
    queryFn: () => sendJson<Rules>('GET', rulesOf(subject)),
  })
}

export function useChange(subject: Subject) {
  const queries = useQueryClient()
  return useMutation<Rules, Problem, Changes>({
    mutationFn: (changes) => sendJson<Rules>('PATCH', rulesOf(subject), changes),
    onSuccess: (rules) => {
      queries.setQueryData(keyOf(subject), rules)
      // what a site says holds for its stations too
      if (subject.kind === 'site') void queries.invalidateQueries({ queryKey: ['driver-page', 'station'] })
    },
    onError: (problem) => tellProblem(problem),
  })
}
