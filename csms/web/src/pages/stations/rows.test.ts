import { describe, expect, it } from 'vitest'
import type { LiveConnector, LiveStation } from '@/live/types'
import { countStates, filterRows, orderOf, orderText, rowOf, stateOf, sumOf } from './rows'

function connector(connectorId: number, status: string | null, powerKw: number | null = null): LiveConnector {
  return { connectorId, status, errorCode: 'NoError', powerKw, limitA: null, limitKw: null, sessionId: null }
}

function station(id: string, connectors: LiveConnector[], more: Partial<LiveStation> = {}): LiveStation {
  return {
    id,
    name: `Bay ${id}`,
    siteId: 'depot',
    online: true,
    lastSeenAt: null,
    vendor: 'Volt & Co',
    model: 'Twin 22',
    firmwareVersion: '1.4.2',
    registration: 'Accepted',
    quiet: false,
    connectors,
    ...more,
  }
}

describe('stateOf', () => {
  it('names what matters most', () => {
    expect(stateOf(station('A', [connector(1, 'Available'), connector(2, 'Charging')]))).toBe('Charging')
    expect(stateOf(station('A', [connector(1, 'Charging'), connector(2, 'Faulted')]))).toBe('Faulted')
    expect(stateOf(station('A', [connector(1, null)]))).toBe('unknown')
  })

  it('believes the station itself, but not what an offline one said last', () => {
    expect(stateOf(station('A', [connector(0, 'Faulted'), connector(1, 'Available')]))).toBe('Faulted')
    expect(stateOf(station('A', [connector(0, 'Available'), connector(1, 'Charging')]))).toBe('Charging')
    expect(stateOf(station('A', [connector(1, 'Charging')], { online: false }))).toBe('offline')
  })
})

describe('rowOf', () => {
  it('adds up the power of what has one, and invents none', () => {
    expect(rowOf(station('A', [connector(1, 'Charging', 7), connector(2, 'Charging', 4)])).powerKw).toBe(11)
    expect(rowOf(station('A', [connector(1, 'Charging')])).powerKw).toBeNull()
    expect(rowOf(station('A', [connector(1, 'Charging', 7)], { online: false })).powerKw).toBeNull()
  })

  it('is the same row for the same station', () => {
    const one = station('A', [])
    expect(rowOf(one)).toBe(rowOf(one))
  })
})

describe('filterRows', () => {
  const rows = [
    rowOf(station('CP-1', [connector(1, 'Available')])),
    rowOf(station('CP-2', [connector(1, 'Charging')], { siteId: 'harbour', vendor: 'Acme' })),
  ]

  it('finds words anywhere, in any order', () => {
    expect(filterRows(rows, { text: '22 volt', state: null, site: null })).toEqual([rows[0]])
    expect(filterRows(rows, { text: 'ACME cp-2', state: null, site: null })).toEqual([rows[1]])
    expect(filterRows(rows, { text: 'nothing', state: null, site: null })).toEqual([])
  })

  it('filters by state and site', () => {
    expect(filterRows(rows, { text: '', state: 'Charging', site: null })).toEqual([rows[1]])
    expect(filterRows(rows, { text: '', state: null, site: 'depot' })).toEqual([rows[0]])
    expect(filterRows(rows, { text: ' ', state: null, site: null })).toBe(rows)
  })

  it('counts', () => {
    expect(Object.fromEntries(countStates(rows))).toEqual({ Available: 1, Charging: 1 })
  })
})

describe('the order', () => {
  it('stands in the address', () => {
    for (const text of ['power', '-power', 'name']) expect(orderText(orderOf(text))).toBe(text)
    expect(orderOf(undefined)).toEqual({ column: 'name', descending: false })
  })
})

describe('sumOf', () => {
  it('adds up what a group does', () => {
    const rows = [
      rowOf(station('A', [connector(1, 'Charging', 7)])),
      rowOf(station('B', [connector(1, 'Faulted')])),
    ]
    expect(sumOf(rows)).toEqual({ charging: 1, faulted: 1, powerKw: 7 })
  })
})
