/** Id tags as they are shown, looked for and typed. */

import type { components } from '@/api/schema'

export type IdTag = components['schemas']['IdTagOut']

export type State = 'valid' | 'blocked' | 'expired'

/** Returns what a tag is good for now; blocked wins, as for a charger that asks. */
export function stateOf(tag: Pick<IdTag, 'status' | 'expiresAt'>, now: number): State {
  if (tag.status === 'Blocked') return 'blocked'
  return tag.expiresAt !== null && Date.parse(tag.expiresAt) <= now ? 'expired' : 'valid'
}

export interface Filter {
  search?: string | undefined
  state?: State | undefined
  group?: string | undefined
}

/** Returns the query of the API for a filter; empty: all. */
export function queryOf({ search, state, group }: Filter): string {
  const query = new URLSearchParams()
  const text = search?.trim()
  if (text) query.set('q', text)
  if (state !== undefined) query.set('status', state === 'blocked' ? 'Blocked' : 'Accepted')
  if (state === 'valid' || state === 'expired') query.set('expired', String(state === 'expired'))
  if (group !== undefined) query.set('parentIdTag', group)
  return query.toString()
}

export interface Typed {
  idTag: string
  name: string
  parentIdTag: string
  maxActiveSessions: string
  /** Of a field of date and time, in the browser's zone. */
  expiresAt: string
  blocked: boolean
}

export const FIELDS = ['idTag', 'name', 'parentIdTag', 'maxActiveSessions', 'expiresAt', 'blocked'] as const

export const EMPTY: Typed = {
  idTag: '',
  name: '',
  parentIdTag: '',
  maxActiveSessions: '',
  expiresAt: '',
  blocked: false,
}

/** Returns a tag as its form shows it; `local` gives an instant as a field of date and time has it. */
export function typedOf(tag: IdTag, local: (at: string) => string): Typed {
  return {
    idTag: tag.idTag,
    name: tag.name ?? '',
    parentIdTag: tag.parentIdTag ?? '',
    maxActiveSessions: tag.maxActiveSessions === null ? '' : String(tag.maxActiveSessions),
    expiresAt: tag.expiresAt === null ? '' : local(tag.expiresAt),
    blocked: tag.status === 'Blocked',
  }
}

/** Returns what is sent and what is wrong, by field; with `before` only what is different from it. */
export function bodyOf(
  typed: Typed,
  before?: Typed,
): { body: Record<string, unknown>; problems: Record<string, string> } {
  const problems: Record<string, string> = {}
  const idTag = typed.idTag.trim()
  if (idTag === '') problems.idTag = 'This is needed'
  else if (idTag.length > 20) problems.idTag = 'At most 20 characters'
  const parent = typed.parentIdTag.trim()
  if (parent.length > 20) problems.parentIdTag = 'At most 20 characters'
  const most = typed.maxActiveSessions.trim()
  if (most !== '' && !/^\d{1,7}$/.test(most))
    problems.maxActiveSessions = 'A whole number, or empty for no limit'
  const expires = typed.expiresAt === '' ? null : new Date(typed.expiresAt)
  if (expires !== null && Number.isNaN(expires.getTime())) problems.expiresAt = 'Must be a time'
  const all: Record<string, unknown> = {
    idTag,
    name: typed.name.trim() || null,
    parentIdTag: parent || null,
    maxActiveSessions: most === '' ? null : Number(most),
    expiresAt: expires === null || problems.expiresAt ? null : expires.toISOString(),
    status: typed.blocked ? 'Blocked' : 'Accepted',
  }
  const fields = FIELDS.filter((name) =>
    before === undefined ? true : name !== 'idTag' && typed[name] !== before[name],
  ).map((name) => (name === 'blocked' ? 'status' : name))
  return { body: Object.fromEntries(fields.map((name) => [name, all[name]])), problems }
}
