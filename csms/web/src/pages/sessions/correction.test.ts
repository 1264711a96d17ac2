import { expect, test } from 'vitest'
import { bodyOf, startOf } from './correction'

const running = { status: 'active', meterStartWh: 1000, meterStopWh: null, stoppedAt: null } as const
const ended = {
  status: 'completed',
  meterStartWh: 1000,
  meterStopWh: 2000,
  stoppedAt: '2026-11-21T10:00:00Z',
} as const

test('a running session is closed with what is known of it', () => {
  const typed = { ...startOf(running), reason: ' broken ', carIsGone: true, meterStopWh: '1500' }
  expect(bodyOf(typed, running)).toEqual({
    body: { reason: 'broken', carIsGone: true, meterStopWh: 1500 },
    problems: {},
  })
})

test('of an ended one only what has changed is sent', () => {
  expect(bodyOf({ ...startOf(ended), reason: 'typo', meterStartWh: '900' }, ended).body).toEqual({
    reason: 'typo',
    meterStartWh: 900,
  })
})

test('each wrong field is named', () => {
  const typed = { ...startOf(ended), meterStopWh: '1.5 kWh', stoppedAt: 'yesterday' }
  expect(Object.keys(bodyOf(typed, ended).problems).sort()).toEqual(['meterStopWh', 'reason', 'stoppedAt'])
})
