/** Reservations as they are typed, and their states in words. */

import type { components } from '@/api/schema'

export type Reservation = components['schemas']['ReservationOut']

/** What each state means, in the order in which a reader chooses. */
export const STATES: Readonly<Record<string, string>> = {
  active: 'The connector is kept.',
  used: 'The car has come: a session has used it.',
  expired: 'Nobody has come in time.',
  cancelled: 'Taken back, or changed: then the new one stands above it.',
  dropped: 'The station no longer knows it.',
  refused: 'The station did not agree: faulted, occupied, out of service, or it keeps nothing.',
}

export interface Typed {
  stationId: string
  /** `0` is any connector of the station. */
  connectorId: string
  idTag: string
  /** Of a field of date and time, in the browser's zone. */
  expiresAt: string
}

export const FIELDS = ['stationId', 'connectorId', 'idTag', 'expiresAt'] as const

/** Returns what is sent and what is wrong, by field; with `before` only what is different from it. */
export function bodyOf(
  typed: Typed,
  now: number,
  before?: Typed,
): { body: Record<string, unknown>; problems: Record<string, string> } {
  const problems: Record<string, string> = {}
  const idTag = typed.idTag.trim()
  if (typed.stationId === '') problems.stationId = 'This is needed'
  if (idTag === '') problems.idTag = 'This is needed'
  else if (idTag.length > 20) problems.idTag = 'At most 20 characters'
  const until = new Date(typed.expiresAt).getTime()
  if (Number.isNaN(until)) problems.expiresAt = 'Must be a time'
  else if (until <= now && typed.expiresAt !== before?.expiresAt) problems.expiresAt = 'Must be still to come'
  const all: Record<string, unknown> = {
    stationId: typed.stationId,
    connectorId: Number(typed.connectorId),
    idTag,
    expiresAt: Number.isNaN(until) ? null : new Date(until).toISOString(),
  }
  const names = FIELDS.filter((name) => before === undefined || typed[name] !== before[name])
  return { body: Object.fromEntries(names.map((name) => [name, all[name]])), problems }
}

/** Returns the address of a reservation: its number is not of one station alone. */
export function pathOf({ reservationId, stationId }: Reservation): string {
  return `/api/reservations/${reservationId}?stationId=${encodeURIComponent(stationId)}`
}

/**
 * Returns a key for each reservation, the newest first.
 *
 * A changed one is there twice, with the same number; what is older keeps its key when more come.
 */
export function keysOf(found: readonly Reservation[]): string[] {
  const seen = new Map<string, number>()
  return [...found]
    .reverse()
    .map(({ stationId, reservationId }) => {
      const name = `${reservationId} ${stationId}`
      const before = seen.get(name) ?? 0
      seen.set(name, before + 1)
      return `${before} ${name}`
    })
    .reverse()
}
