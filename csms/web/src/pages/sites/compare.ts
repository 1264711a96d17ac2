/** What a decision changes: as it is beside as it would be. */

import type { Status } from './data'

type Load = Status['sessions'][number]
type Circuit = Status['circuits'][number]

export interface LoadChange {
  id: string
  chargerId: string
  connectorId: number
  /** kW; null: not there now, or not there then. */
  nowKw: number | null
  thenKw: number | null
  reason: string
}

export interface CircuitChange {
  id: string
  /** kW. */
  nowKw: number | null
  thenKw: number
  limitKw: number
  /** The most loaded phase then, and what each phase may carry; A. */
  mostA: number | null
  limitA: number | null
}

interface Present {
  sessions?: readonly Pick<Load, 'id' | 'chargerId' | 'connectorId' | 'allocatedPowerKw'>[]
  circuits?: readonly Pick<Circuit, 'id' | 'loadKw'>[]
}

/** Returns the sessions of both, those that change most first. */
export function loadChanges(now: Present | undefined, then: Status): LoadChange[] {
  const before = new Map((now?.sessions ?? []).map((load) => [load.id, load]))
  const changes: LoadChange[] = then.sessions.map(
    ({ id, chargerId, connectorId, allocatedPowerKw, reason }) => ({
      id,
      chargerId,
      connectorId,
      nowKw: before.get(id)?.allocatedPowerKw ?? null,
      thenKw: allocatedPowerKw,
      reason,
    }),
  )
  const stay = new Set(then.sessions.map(({ id }) => id))
  for (const load of before.values())
    if (!stay.has(load.id))
      changes.push({
        id: load.id,
        chargerId: load.chargerId,
        connectorId: load.connectorId,
        nowKw: load.allocatedPowerKw,
        thenKw: null,
        reason: 'its session would be over',
      })
  const size = (change: LoadChange) => Math.abs((change.thenKw ?? 0) - (change.nowKw ?? 0))
  return changes.sort((a, b) => size(b) - size(a))
}

export function circuitChanges(now: Present | undefined, then: Status): CircuitChange[] {
  const before = new Map((now?.circuits ?? []).map((circuit) => [circuit.id, circuit.loadKw]))
  return then.circuits.map(({ id, loadKw, limitKw, limitA, loadA }) => ({
    id,
    nowKw: before.get(id) ?? null,
    thenKw: loadKw,
    limitKw,
    mostA: loadA === null ? null : Math.max(...loadA),
    limitA,
  }))
}

/** Returns a difference with its sign: `+3.2 kW`, `−1.0 kW`; nothing where it rounds to none. */
export function difference(now: number | null, then: number | null): string {
  const kw = (then ?? 0) - (now ?? 0)
  if (Math.abs(kw) < 0.05) return ''
  return `${kw > 0 ? '+' : '−'}${Math.abs(kw).toFixed(1)} kW`
}

/** Returns a sentence for what would be sent at once. */
export function sendings(decreases: number, increases: number): string {
  if (decreases + increases === 0) return 'Nothing would be sent at once.'
  const words: string[] = []
  if (decreases > 0) words.push(`${decreases} ${decreases === 1 ? 'limit falls' : 'limits fall'}`)
  if (increases > 0) words.push(`${increases} ${increases === 1 ? 'rises' : 'rise'}`)
  return `${words.join(' and ')} at once; what is higher follows when the lower limits are seen at work.`
}
