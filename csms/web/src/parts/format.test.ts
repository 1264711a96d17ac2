import { describe, expect, it } from 'vitest'
import {
  ago,
  count,
  current,
  duration,
  energy,
  exactTime,
  money,
  NOTHING,
  percent,
  power,
  shortTime,
  unitPrice,
} from './format'

const NOW = Date.parse('2026-11-21T17:05:09Z')

describe('quantities', () => {
  it.each([
    [power(7.36), '7.4 kW'],
    [power(0), '0.0 kW'],
    [power(-0.001), '0.0 kW'],
    [power(132.4), '132 kW'],
    [power(1250), '1.25 MW'],
    [power(-11), '-11.0 kW'],
    [unitPrice(0.3045, 'EUR'), '€0.3045'],
    [unitPrice(0.3, 'EUR'), '€0.30'],
    [unitPrice(null, 'EUR'), NOTHING],
    [energy(0.842), '0.84 kWh'],
    [energy(12.51), '12.5 kWh'],
    [energy(250.4), '250 kWh'],
    [energy(2310), '2.31 MWh'],
    [current(16), '16.0 A'],
    [percent(79.6), '80 %'],
    [count(10482), '10,482'],
    [money(12.3, 'EUR'), '€12.30'],
    [money(1200, 'JPY'), '¥1,200'],
  ])('%s', (told, wanted) => {
    expect(told).toBe(wanted)
  })

  it('never invents a number', () => {
    for (const told of [
      power(null),
      energy(undefined),
      current(Number.NaN),
      money(3, null),
      percent(null),
      count(null),
    ])
      expect(told).toBe(NOTHING)
  })
})

describe('times', () => {
  it.each([
    [duration(42), '42 s'],
    [duration(7 * 60 + 30), '7 min'],
    [duration(3 * 3600 + 5 * 60), '3 h 05 min'],
    [duration(52 * 3600), '2 d 4 h'],
    [duration(-1), '0 s'],
    [ago(NOW - 2000, NOW), 'just now'],
    [ago(NOW - 40_000, NOW), '40 s ago'],
    [ago('2026-11-21T17:02:00Z', NOW), '3 min ago'],
    [ago(NOW - 49 * 3_600_000, NOW), '2 d ago'],
    [ago(NOW + 300_000, NOW), 'in 5 min'],
    [ago('nonsense', NOW), NOTHING],
    [exactTime('2026-11-21T17:05:09Z', 'UTC'), '2026-11-21 17:05:09 UTC'],
    [shortTime('2026-11-21T09:01:00Z', NOW, 'UTC'), '09:01'],
    [shortTime('2026-11-20T23:59:00Z', NOW, 'UTC'), 'Nov 20, 23:59'],
    [shortTime('2026-11-20T23:59:00Z', NOW, 'Europe/Berlin'), '00:59'],
  ])('%s', (told, wanted) => {
    expect(told).toBe(wanted)
  })
})
