import { describe, expect, it } from 'vitest'
import { bodyOf, instantOf, newSite, type Site, supposedOf, typedOf } from './form'

const SITE: Site = {
  id: 'depot',
  name: 'Depot',
  timeZone: 'Europe/Berlin',
  gridCapacityKw: 60,
  gridLimitA: null,
  policy: 'fair',
  circuits: [{ id: 'east', name: null, parentId: null, limitKw: 43.5, limitA: 63 }],
  batteries: [],
  chargers: [],
}

describe('the form of a site', () => {
  it('sends only what is different', () => {
    const before = typedOf(SITE)
    expect(bodyOf(before, before)).toEqual({ body: {}, problems: {} })
    const changed = {
      ...before,
      gridCapacityKw: '55,5',
      batteries: [{ key: 1, id: 'b', capacityKwh: '20', powerKw: '10' }],
    }
    expect(bodyOf(changed, before).body).toEqual({
      gridCapacityKw: 55.5,
      batteries: [{ id: 'b', capacityKwh: 20, powerKw: 10 }],
    })
    expect(bodyOf({ ...before, gridLimitA: '80' }, before).body).toEqual({ gridLimitA: 80 })
  })

  it('says at the field what is wrong', () => {
    const typed = typedOf(SITE)
    const [circuit] = typed.circuits
    const { problems } = bodyOf({
      ...typed,
      name: ' ',
      gridCapacityKw: '',
      circuits: [{ ...circuit, key: 0, id: '', name: '', parentId: '', limitKw: 'much', limitA: '-1' }],
    })
    expect(problems).toEqual({
      name: 'This is needed',
      gridCapacityKw: 'This is needed',
      'circuits.0.id': 'This is needed',
      'circuits.0.limitKw': 'Must be a number',
      'circuits.0.limitA': 'Must not be negative',
    })
  })

  it('supposes only what bears on sharing, and nothing that is wrong', () => {
    const before = typedOf(SITE)
    expect(supposedOf(bodyOf({ ...before, name: 'Other' }, before))).toBeNull()
    expect(supposedOf(bodyOf({ ...before, gridCapacityKw: 'x' }, before))).toBeNull()
    expect(supposedOf(bodyOf({ ...before, circuits: [], name: 'Other' }, before))).toEqual({ circuits: [] })
  })

  it('leaves out what is not typed of a new one', () => {
    const { body } = bodyOf({ ...newSite('UTC'), name: 'New', gridCapacityKw: '10' })
    expect(body).toEqual({
      name: 'New',
      timeZone: 'UTC',
      policy: 'fair',
      gridCapacityKw: 10,
      circuits: [],
      batteries: [],
    })
  })

  it('takes times as the browser gives them', () => {
    expect(instantOf('')).toBeNull()
    expect(Date.parse(instantOf('2026-01-01T10:00') ?? '')).toBe(new Date('2026-01-01T10:00').getTime())
  })
})
