import { expect, test } from 'vitest'
import { niceTop } from './Bars'
import {
  csvOf,
  fittingStep,
  lastDays,
  type SumRow,
  startOf,
  stepsOf,
  sumsOf,
  wholeOf,
  wrongWith,
} from './sums'

function row(key: string, more: Partial<SumRow> = {}): SumRow {
  return { key, sessions: 1, energyKwh: 10, revenue: 2.5, currency: 'EUR', ...more }
}

test('rows of one key are one sum; currencies stay apart', () => {
  const rows = [row('A'), row('A', { currency: 'SEK', revenue: 30 }), row('B', { sessions: 2, energyKwh: 5 })]
  const [a, b] = sumsOf(rows)
  expect(a).toMatchObject({ id: 'A', sessions: 2, energyKwh: 20 })
  expect([...(a?.revenue ?? [])]).toEqual([
    ['EUR', 2.5],
    ['SEK', 30],
  ])
  expect(b).toMatchObject({ id: 'B', sessions: 2 })
  expect(wholeOf(rows)).toMatchObject({ sessions: 4, energyKwh: 25 })
  expect(wholeOf([]).sessions).toBe(0)
})

test('weeks begin on Monday, and years end', () => {
  expect(startOf('2026-11-22', 'week')).toBe('2026-11-16')
  expect(startOf('2026-11-16', 'week')).toBe('2026-11-16')
  expect(startOf('2027-01-01', 'week')).toBe('2026-12-28')
  expect(startOf('2026-02-28', 'month')).toBe('2026-02-01')
})

test('steps without sessions are there too', () => {
  expect(stepsOf('2026-02-27', '2026-03-01', 'day')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01'])
  expect(stepsOf('2026-01-31', '2026-03-01', 'month')).toEqual(['2026-01-01', '2026-02-01', '2026-03-01'])
  expect(stepsOf('2026-11-18', '2026-11-24', 'week')).toEqual(['2026-11-16', '2026-11-23'])
})

test('long periods are shown in longer steps', () => {
  expect(fittingStep('2026-11-01', '2026-11-21')).toBe('day')
  expect(fittingStep('2026-01-01', '2026-11-21')).toBe('week')
  expect(fittingStep('2020-01-01', '2026-11-21')).toBe('month')
})

test('a period has both ends, in order', () => {
  expect(lastDays(7, '2026-11-21')).toEqual({ from: '2026-11-15', to: '2026-11-21' })
  expect(wrongWith({ from: '2026-11-15', to: '2026-11-21' })).toBeNull()
  expect(wrongWith({ from: '2026-11-22', to: '2026-11-21' })).toContain('before')
  expect(wrongWith({ from: '', to: '2026-11-21' })).toContain('both')
})

test('CSV is safe in a spreadsheet, and adds no currency to another', () => {
  const [sum] = sumsOf([row('=A,1', { sessions: 1 }), row('=A,1', { currency: 'SEK', revenue: 3 })])
  if (sum === undefined) throw new Error('no sum')
  expect(csvOf('stationId', [sum])).toBe(
    'stationId,sessions,energyKwh,revenue,currency\r\n"\'=A,1",2,20.000,2.50,EUR\r\n"\'=A,1",,,3.00,SEK\r\n',
  )
})

test('an axis ends at a round number above its bars', () => {
  expect([0, 0.3, 1, 7.2, 41, 999].map(niceTop)).toEqual([1, 0.4, 1, 8, 50, 1000])
})
