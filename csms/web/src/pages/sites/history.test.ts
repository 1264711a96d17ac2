import { describe, expect, it } from 'vitest'
import { type History, pictureOf, type Sample, withSample } from './history'

const HISTORY: History = {
  stepS: 60,
  times: ['2026-01-01T10:00:00Z', '2026-01-01T10:01:00Z'],
  gridCapacityKw: 50,
  series: [
    { stationId: 'A', name: 'Bay A', powerKw: [1, 2] },
    { stationId: null, name: null, powerKw: [3, null] },
  ],
  limitKw: [null, 40],
  batteryKw: [null, null],
  meterKw: [null, 9],
  buildingKw: [0, 0],
  solarKw: [null, null],
}
const LAST = Date.parse('2026-01-01T10:01:00Z') / 1000

function sample(at: number, byStation: Record<string, number> = {}): Sample {
  const unknown = { batteryKw: null, meterKw: null, solarKw: null }
  return { at, byStation: new Map(Object.entries(byStation)), limitKw: 30, ...unknown }
}

describe('the picture of power', () => {
  it('goes on with what is live', () => {
    const { times, curves } = pictureOf(HISTORY, [
      sample(LAST, { A: 99 }),
      sample(LAST + 30, { A: 5, B: 2, C: 1 }),
    ])
    expect(times).toEqual([LAST - 60, LAST, LAST + 30])
    expect(curves.map(({ label, values }) => [label, values])).toEqual([
      ['Bay A', [1, 2, 5]],
      ['All others', [3, null, 3]],
      ['Limit', [50, 40, 30]],
      ['Grid meter', [null, 9, null]],
    ])
  })

  it('has what a battery adds to the limit, and no line of one that is not there', () => {
    const { curves } = pictureOf({ ...HISTORY, batteryKw: [-2, 7] }, [])
    const named = new Map(curves.map(({ label, values }) => [label, values]))
    expect(named.get('Limit with battery')).toEqual([50, 47])
    expect(named.get('Battery')).toEqual([-2, 7])
    expect(pictureOf(HISTORY, []).curves.map(({ label }) => label)).not.toContain('Battery')
  })

  it('has what solar panels give, where somebody tells', () => {
    const live = { ...sample(LAST + 30), solarKw: 8 }
    const { curves } = pictureOf({ ...HISTORY, solarKw: [null, 6] }, [live])
    expect(curves.find(({ label }) => label === 'Solar')?.values).toEqual([null, 6, 8])
    expect(pictureOf(HISTORY, []).curves.map(({ label }) => label)).not.toContain('Solar')
  })

  it('keeps live samples until the history has them', () => {
    const two = withSample(withSample([], sample(10), 0), sample(11), 0)
    expect(two.map(({ at }) => at)).toEqual([10, 11])
    expect(withSample(two, sample(11), 0)).toBe(two)
    expect(withSample(two, sample(12), 0, 5)).toBe(two)
    expect(withSample(two, sample(12), 10).map(({ at }) => at)).toEqual([11, 12])
  })
})
