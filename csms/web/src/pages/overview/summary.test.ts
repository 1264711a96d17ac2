import { describe, expect, it } from 'vitest'
import type { LiveAttention, LiveSession, LiveSite, LiveStation, LiveToday } from '@/live/types'
import { byKind, drawnNow, firstOf, sitesNow, strongest, supply, supplyOf, urgent } from './summary'

const item = (id: string, more: Partial<LiveAttention>): LiveAttention => ({
  id,
  kind: 'siteWarning',
  severity: 'warning',
  since: null,
  text: id,
  ...more,
})

describe('urgent', () => {
  const items = [
    item('info', { severity: 'info', since: '2026-01-01T00:00:00Z', stationId: 'A' }),
    item('newer', { since: '2026-01-03T00:00:00Z', siteId: 'depot' }),
    item('older', { since: '2026-01-02T00:00:00Z', siteId: 'park' }),
    item('critical', { severity: 'critical', stationId: 'B' }),
  ]
  const siteOf = (id: string) => (id === 'A' ? 'depot' : null)

  it('puts the most severe first, then the oldest', () => {
    expect(urgent(items, null, siteOf).map(({ id }) => id)).toEqual(['critical', 'older', 'newer', 'info'])
  })

  it('keeps to a site, also by the station that it names', () => {
    expect(urgent(items, 'depot', siteOf).map(({ id }) => id)).toEqual(['newer', 'info'])
  })
})

describe('byKind', () => {
  it('keeps what is alike together, in the order of the most urgent of each', () => {
    const of = (id: string, kind: string) => item(id, { kind })
    const groups = byKind([of('1', 'stationOffline'), of('2', 'stationFaulted'), of('3', 'stationOffline')])
    expect(groups.map((items) => items.map(({ id }) => id))).toEqual([['1', '3'], ['2']])
  })
})

describe('firstOf', () => {
  const items = (many: number) => Array.from({ length: many }, (_, at) => item(String(at), {}))

  it('does not let one kind push out the others', () => {
    expect(firstOf(items(50), 1, false)).toHaveLength(8)
    expect(firstOf(items(50), 4, false)).toHaveLength(3)
    expect(firstOf(items(50), 4, true)).toHaveLength(50)
  })

  it('never hides a single one: its line would be as long', () => {
    expect(firstOf(items(4), 4, false)).toHaveLength(4)
    expect(firstOf(items(5), 4, false)).toHaveLength(3)
  })
})

describe('sitesNow', () => {
  const site = (id: string, powerKw: number | null): LiveSite => ({
    id,
    name: id,
    timeZone: 'UTC',
    gridCapacityKw: 100,
    powerKw,
    limitKw: 50,
    meterKw: null,
    activeSessions: 0,
  })

  it('puts the fullest first, with its day and what is wrong there', () => {
    const day: LiveToday = {
      id: 'full',
      powerKw: 1,
      capacityKw: 1,
      energyKwh: 5,
      sessions: 1,
      revenue: 2,
      currency: 'EUR',
      revenues: [],
      activeSessions: 1,
    }
    const found = sitesNow(
      [site('unknown', null), site('full', 40)],
      [day],
      [item('x', { siteId: 'full' }), item('y', { siteId: 'full', severity: 'info' })],
    )
    expect(found.map(({ site: { id }, warnings }) => [id, warnings])).toEqual([
      ['full', 1],
      ['unknown', 0],
    ])
    expect(found[0]?.today).toBe(day)
    expect(found[1]?.today).toBeUndefined()
  })
})

describe('supply', () => {
  const site = { limitKw: 250, gridCapacityKw: 300 } as LiveSite
  const charging = { ...site, battery: { energyKwh: 1, powerKw: -20 } }

  it('counts a battery only while it gives', () => {
    expect(supplyOf(site)).toBe(250)
    expect(supplyOf({ ...site, battery: { energyKwh: 1, powerKw: 100 } })).toBe(350)
    expect(supplyOf(charging)).toBe(250)
    expect(supplyOf({ ...site, limitKw: null })).toBe(300)
  })

  it('is nothing without a site', () => {
    expect(supply([])).toBeNull()
    expect(supply([site, charging].map((each) => ({ site: each, today: undefined, warnings: 0 })))).toBe(500)
  })
})

describe('strongest', () => {
  const session = (id: number, powerKw: number | null, more: Partial<LiveSession> = {}) =>
    ({ id: String(id), transactionId: id, stationId: 'A', status: 'active', powerKw, ...more }) as LiveSession

  const station = (id: string, more: Partial<LiveStation>, ...running: [number, number | null][]) =>
    ({
      id,
      online: true,
      connectors: running.map(([number, powerKw]) => ({ sessionId: String(number), powerKw })),
      ...more,
    }) as LiveStation

  it('leaves out what has ended and what is elsewhere', () => {
    const stations = new Map([
      ['A', station('A', { siteId: 'depot' }, [1, 3], [2, null], [3, 9])],
      ['B', station('B', { siteId: null }, [5, 22])],
    ])
    const sessions = [
      session(1, 3),
      session(2, null),
      session(3, 9),
      session(4, 50, { status: 'completed' }),
      session(5, 22, { stationId: 'B' }),
    ]
    expect(strongest(sessions, 'depot', stations).map(({ id }) => id)).toEqual(['3', '1', '2'])
    expect(strongest(sessions, null, stations).map(({ id }) => id)).toEqual(['5', '3', '1', '2'])
  })

  it('does not take the last word of a station that is away for what it draws now', () => {
    const stations = new Map([
      ['A', station('A', {}, [2, 3])],
      ['B', station('B', { online: false }, [1, 150])],
    ])
    const sessions = [session(1, 150, { stationId: 'B' }), session(2, 3)]
    expect(strongest(sessions, null, stations).map(({ id }) => id)).toEqual(['2', '1'])
  })
})

describe('drawnNow', () => {
  it('is not known while none of what runs is measured', () => {
    expect(drawnNow({ powerKw: 0 }, 2)).toBeNull()
    expect(drawnNow({ powerKw: 0 }, 0)).toBe(0)
    expect(drawnNow({ powerKw: 7 }, 2)).toBe(7)
  })
})
