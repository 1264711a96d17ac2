import { describe, expect, it } from 'vitest'
import { NOTHING_TYPED, savedOf, supposedOf } from './suppose'

const SITE = { circuits: [{ id: 'east', name: 'East', parentId: null, limitKw: 43.5, limitA: null }] }

describe('what is supposed', () => {
  it('is only what is typed', () => {
    expect(supposedOf(SITE, NOTHING_TYPED)).toEqual({ supposed: null, problems: {} })
    expect(supposedOf(SITE, { ...NOTHING_TYPED, circuitsKw: { east: '43.5' } }).supposed).toBeNull()
    const { supposed } = supposedOf(SITE, {
      gridCapacityKw: '30',
      buildingKw: '',
      circuitsKw: { east: '20' },
      cars: ['2 Bay 7'],
      without: ['11'],
    })
    expect(supposed).toEqual({
      gridCapacityKw: 30,
      circuits: [{ ...SITE.circuits[0], limitKw: 20 }],
      cars: [{ chargerId: 'Bay 7', connectorId: 2 }],
      withoutSessions: ['11'],
    })
    expect(savedOf(supposed)).toEqual({
      gridCapacityKw: 30,
      circuits: [{ ...SITE.circuits[0], limitKw: 20 }],
    })
  })

  it('saves neither cars nor the building', () => {
    expect(savedOf(null)).toBeNull()
    expect(savedOf({ buildingKw: 5, withoutSessions: ['1'] })).toBeNull()
  })

  it('is nothing while a field is wrong', () => {
    const { supposed, problems } = supposedOf(SITE, {
      ...NOTHING_TYPED,
      buildingKw: '5',
      circuitsKw: { east: 'x' },
    })
    expect(supposed).toBeNull()
    expect(problems).toEqual({ 'circuits.0.limitKw': 'Must be a number' })
  })
})
