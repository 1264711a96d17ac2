import { describe, expect, it } from 'vitest'
import { circuitChanges, difference, loadChanges, sendings } from './compare'
import type { Status } from './data'

const load = (id: string, allocatedPowerKw: number) => ({
  id,
  chargerId: `CP-${id}`,
  connectorId: 1,
  allocatedPowerKw,
  measuredPowerKw: null,
  limitA: null,
  reason: 'grid limit',
  phases: null,
})
const THEN: Status = {
  sessions: [load('1', 6), load('2', 10.9), load('-1', 5)],
  circuits: [{ id: 'grid', limitKw: 22, loadKw: 21.9, headroomKw: 0.1, limitA: 32, loadA: [30, 31.5, 29] }],
  battery: null,
  gridPowerKw: 21.9,
  decidedAt: '2026-01-01T00:00:00Z',
  warnings: [],
}

describe('what would change', () => {
  it('puts what changes most first, with cars that come and sessions that end', () => {
    const changes = loadChanges({ sessions: [load('1', 11), load('2', 11), load('3', 7)] }, THEN)
    expect(changes.map(({ id, nowKw, thenKw }) => [id, nowKw, thenKw])).toEqual([
      ['3', 7, null],
      ['1', 11, 6],
      ['-1', null, 5],
      ['2', 11, 10.9],
    ])
  })

  it('tells the load of circuits and of the fullest phase', () => {
    expect(circuitChanges({ circuits: [{ id: 'grid', loadKw: 40 }] }, THEN)).toEqual([
      { id: 'grid', nowKw: 40, thenKw: 21.9, limitKw: 22, mostA: 31.5, limitA: 32 },
    ])
  })

  it('is written with its sign', () => {
    expect(difference(11, 6)).toBe('−5.0 kW')
    expect(difference(null, 5)).toBe('+5.0 kW')
    expect(difference(5, 5.04)).toBe('')
    expect(sendings(0, 0)).toBe('Nothing would be sent at once.')
    expect(sendings(1, 2)).toContain('1 limit falls and 2 rise at once')
  })
})
