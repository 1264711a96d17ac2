import { expect, it } from 'vitest'
import { said } from './said'

it('says what there is', () => {
  const all = { transactionId: 7, meterStop: 12_500, idTag: '04A', reason: 'Remote', timestamp: 'x' }
  expect(said(all)).toBe('Number 7, meter at 12.5 kWh, id tag 04A, Remote')
  expect(said({ transactionId: 0, meterStop: 0, idTag: null, reason: null })).toBe(
    'Number 0, meter at 0.00 kWh',
  )
})
