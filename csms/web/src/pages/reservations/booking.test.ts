import { expect, test } from 'vitest'
import { bodyOf, keysOf, pathOf, type Reservation, type Typed } from './booking'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const TYPED: Typed = { stationId: 'CP 1', connectorId: '0', idTag: ' 04A1 ', expiresAt: '2026-11-22T12:00' }

test('a new one is sent whole, its time as an instant', () => {
  const { body, problems } = bodyOf(TYPED, NOW)
  expect(problems).toEqual({})
  expect(body).toEqual({
    stationId: 'CP 1',
    connectorId: 0,
    idTag: '04A1',
    expiresAt: new Date('2026-11-22T12:00').toISOString(),
  })
})

test('of a known one only what has changed is sent', () => {
  expect(bodyOf(TYPED, NOW, TYPED).body).toEqual({})
  expect(bodyOf({ ...TYPED, connectorId: '2' }, NOW, TYPED).body).toEqual({ connectorId: 2 })
})

test('what is missing or past is said at its field', () => {
  expect(bodyOf({ stationId: '', connectorId: '0', idTag: '', expiresAt: '' }, NOW).problems).toEqual({
    stationId: 'This is needed',
    idTag: 'This is needed',
    expiresAt: 'Must be a time',
  })
  expect(bodyOf({ ...TYPED, expiresAt: '2026-11-19T12:00' }, NOW).problems.expiresAt).toBe(
    'Must be still to come',
  )
})

test('a reservation is addressed with its station', () => {
  const made = { reservationId: -3, stationId: 'CP 1' } as Reservation
  expect(pathOf(made)).toBe('/api/reservations/-3?stationId=CP%201')
})

test('a changed reservation has a key of its own, and older ones keep theirs', () => {
  const one = { reservationId: 1, stationId: 'A' } as Reservation
  const other = { reservationId: 1, stationId: 'B' } as Reservation
  const before = keysOf([other, one])
  const after = keysOf([one, other, one])
  expect(new Set(after).size).toBe(3)
  expect(after.slice(1)).toEqual(before)
})
