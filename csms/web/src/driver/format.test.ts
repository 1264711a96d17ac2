import { describe, expect, it } from 'vitest'
import { duration, formatOf, localeOf } from './format'

const plain = (text: string) => text.replace(/\s/g, ' ')

describe('formats', () => {
  it.each([
    ['en', '7.4 kW', '12.35 kWh', '€4.32'],
    ['de', '7,4 kW', '12,35 kWh', '4,32 €'],
    ['fr', '7,4 kW', '12,35 kWh', '4,32 €'],
    ['es', '7,4 kW', '12,35 kWh', '4,32 €'],
  ])('numbers in %s', (locale, power, energy, money) => {
    const format = formatOf(locale)
    expect(plain(format.power(7.4))).toBe(power)
    expect(plain(format.energy(12.345678))).toBe(energy)
    expect(plain(format.money(4.321, 'EUR'))).toBe(money)
  })
  it('shows prices finer than money', () => {
    expect(plain(formatOf('de').price(0.2999, 'EUR'))).toBe('0,2999 €')
    expect(plain(formatOf('de').price(0.3, 'EUR'))).toBe('0,30 €')
  })
  it('shows ratings as they are', () => {
    expect(plain(formatOf('de').rating(22))).toBe('22 kW')
    expect(plain(formatOf('de').rating(7.36))).toBe('7,36 kW')
  })
  it('large powers without decimals', () => {
    expect(plain(formatOf('en').power(149.6))).toBe('150 kW')
  })
})

describe('durations', () => {
  it.each([
    [-5, '0 s'],
    [45_999, '45 s'],
    [60_000, '1 min'],
    [59 * 60_000 + 59_000, '59 min'],
    [65 * 60_000, '1 h 5 min'],
    [26 * 3_600_000, '26 h 0 min'],
  ])('%d ms', (ms, text) => {
    expect(plain(duration(ms))).toBe(text)
  })
})

describe('localeOf', () => {
  it('takes the own variant of the page language', () => {
    expect(localeOf('de', ['fr', 'de-CH', 'de'])).toBe('de-CH')
  })
  it('falls back where the browser names none, or a name that is none', () => {
    expect(localeOf('es', ['fr'])).toBe('es')
    expect(localeOf('en', ['en-US@posix'])).toBe('en')
  })
})
