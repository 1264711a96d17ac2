import { expect, test } from 'vitest'
import type { LiveStation } from '@/live/types'
import type { Reservation } from './booking'
import { endedSince, everyS, signOf } from './hints'

function station(id: string, status: string, more: Partial<LiveStation> = {}): LiveStation {
  const connector = { connectorId: 1, status, sessionId: null }
  return { id, online: true, connectors: [connector], ...more } as LiveStation
}

test('only what bears on reservations changes the sign', () => {
  const watched = new Set(['A'])
  const before = signOf([station('A', 'Available'), station('B', 'Available')], watched)
  expect(signOf([station('A', 'Available'), station('B', 'Charging')], watched)).toBe(before)
  expect(signOf([station('A', 'Faulted'), station('B', 'Available')], watched)).not.toBe(before)
  expect(signOf([station('A', 'Available', { online: false }), station('B', 'Available')], watched)).not.toBe(
    before,
  )
  expect(signOf([station('A', 'Available'), station('B', 'Reserved')], watched)).not.toBe(before)
})

test('an end that has come since is noticed once', () => {
  const at = Date.parse('2026-11-21T12:00:00Z')
  const open = { status: 'active', expiresAt: '2026-11-21T12:00:00Z' } as Reservation
  expect(endedSince([open], at - 1000, at)).toBe(true)
  expect(endedSince([open], at, at + 1000)).toBe(false)
  expect(endedSince([{ ...open, status: 'used' }], at - 1000, at)).toBe(false)
})

test('a list is asked for soon while a station has not answered', () => {
  expect(everyS([{ status: 'pending' } as Reservation])).toBeLessThan(everyS([]))
})
