import { describe, expect, it } from 'vitest'
import { rulesBody, typedRules } from './rules'

const BEFORE = typedRules({
  fallbackA: null,
  leaseS: 900,
  buildingMaxKw: 0,
  dailyWrites: 1000,
  reclaim: true,
  wakeUp: true,
  steady: false,
})

describe('the rules of a site', () => {
  it('are sent where they are different', () => {
    expect(rulesBody(BEFORE, BEFORE)).toEqual({ body: {}, problems: {} })
    expect(rulesBody({ ...BEFORE, fallbackA: '6', leaseMinutes: '2,5', wakeUp: false }, BEFORE).body).toEqual(
      {
        fallbackA: 6,
        leaseS: 150,
        wakeUp: false,
      },
    )
    const six = { ...BEFORE, fallbackA: '6' }
    expect(rulesBody(BEFORE, six).body).toEqual({ fallbackA: null })
  })

  it('say at the field what is wrong', () => {
    expect(rulesBody({ ...BEFORE, dailyWrites: '', buildingMaxKw: '-3' }, BEFORE).problems).toEqual({
      dailyWrites: 'This is needed',
      buildingMaxKw: 'Must not be negative',
    })
  })
})
