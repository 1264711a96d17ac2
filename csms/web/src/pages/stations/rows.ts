import type { LiveConnector, LiveStation } from '@/live/types'
import type { Order } from '@/parts/rows'

/** One station as the table and the counts look at it. */
export interface StationRow {
  station: LiveStation
  /** The status that matters most of its connectors; `offline` while it is. */
  state: string
  powerKw: number | null
  charging: number
  connectors: readonly LiveConnector[]
}

/** The worst first: a station with one faulted connector is in need of somebody. */
const ORDER = [
  'Faulted',
  'Charging',
  'SuspendedEVSE',
  'SuspendedEV',
  'Finishing',
  'Preparing',
  'Reserved',
  'Available',
  'Unavailable',
]

export const STATES = ['Faulted', 'offline', ...ORDER.slice(1), 'unknown'] as const

/** Returns the connectors of a station without connector 0, which is the station itself. */
export function outlets(station: LiveStation): readonly LiveConnector[] {
  return station.connectors.filter((connector) => connector.connectorId > 0)
}

export function stateOf(station: LiveStation): string {
  if (!station.online) return 'offline'
  const whole = station.connectors.find((connector) => connector.connectorId === 0)?.status
  if (whole === 'Faulted' || whole === 'Unavailable') return whole
  const statuses = new Set(outlets(station).map((connector) => connector.status))
  return ORDER.find((status) => statuses.has(status)) ?? 'unknown'
}

const known = new WeakMap<LiveStation, StationRow>()

/** Returns the row of a station; the same one while the station is the same. */
export function rowOf(station: LiveStation): StationRow {
  let row = known.get(station)
  if (row === undefined) {
    const connectors = outlets(station)
    // what an offline station took last says nothing of now
    const powers = (station.online ? connectors : []).flatMap(({ powerKw }) =>
      powerKw === null || powerKw === undefined ? [] : [powerKw],
    )
    row = {
      station,
      state: stateOf(station),
      powerKw: powers.length === 0 ? null : powers.reduce((sum, power) => sum + power, 0),
      charging: connectors.filter((connector) => connector.sessionId !== null).length,
      connectors,
    }
    known.set(station, row)
  }
  return row
}

/** Returns how many stations are in each state. */
export function countStates(rows: readonly StationRow[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const row of rows) counts.set(row.state, (counts.get(row.state) ?? 0) + 1)
  return counts
}

/** Returns an order as the address of a page has it, and back: `power`, `-power`. */
export function orderText({ column, descending }: Order): string {
  return descending ? `-${column}` : column
}

export function orderOf(text: string | undefined): Order {
  if (!text) return { column: 'name', descending: false }
  return text.startsWith('-')
    ? { column: text.slice(1), descending: true }
    : { column: text, descending: false }
}

/** Returns what a group of stations does in all, in words. */
export function sumOf(rows: readonly StationRow[]): { charging: number; faulted: number; powerKw: number } {
  let [charging, faulted, powerKw] = [0, 0, 0]
  for (const row of rows) {
    if (row.state === 'Charging') charging += 1
    if (row.state === 'Faulted') faulted += 1
    powerKw += row.powerKw ?? 0
  }
  return { charging, faulted, powerKw }
}

export interface StationFilter {
  text: string
  state: string | null
  site: string | null
}

/** Returns the rows that pass; each word must be found somewhere in what is written of a station. */
export function filterRows(rows: readonly StationRow[], filter: StationFilter): readonly StationRow[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0 && filter.state === null && filter.site === null) return rows
  return rows.filter(({ station, state }) => {
    if (filter.site !== null && station.siteId !== filter.site) return false
    if (filter.state !== null && state !== filter.state) return false
    if (words.length === 0) return true
    const written = [
      station.id,
      station.name,
      station.vendor,
      station.model,
      station.firmwareVersion,
      station.siteId,
    ]
      .join(' ')
      .toLowerCase()
    return words.every((word) => written.includes(word))
  })
}
