import { describe, expect, it } from 'vitest'
import { bytes } from './bytes'
import { passing } from './ConfigurationTab'
import { check, merged, pathOf, type Station } from './data'
import { entriesOf, textOf } from './listText'
import { quirksOf, traitText, traitValue } from './quirks'

const CONNECTOR = {
  connectorId: 1,
  status: 'Available',
  errorCode: 'NoError',
  powerKw: null,
  sessionId: null,
}

describe('a station', () => {
  it('is what the API says, with what the live link has told since', () => {
    const station = {
      id: 'A',
      name: 'old',
      booted: 1,
      connectors: [{ ...CONNECTOR, info: 'x' }],
    } as unknown as Station
    const live = { id: 'A', name: 'new', connectors: [{ ...CONNECTOR, status: 'Charging', powerKw: 7 }] }
    expect(merged(station, live as never)).toMatchObject({
      name: 'new',
      booted: 1,
      connectors: [{ status: 'Charging', powerKw: 7, info: 'x' }],
    })
    expect(merged(station, undefined)).toBe(station)
  })

  it('has a path that its name cannot break', () => {
    expect(pathOf('a/b?c', '/calls')).toBe('/api/stations/a%2Fb%3Fc/calls')
  })

  it('says what it has refused', () => {
    expect(() => check({ outcome: 'accepted', status: 'Accepted' })).not.toThrow()
    expect(() => check({ outcome: 'rejected', status: 'Scheduled' }, ['Scheduled'])).not.toThrow()
    expect(() => check({ outcome: 'rejected', status: 'UnlockFailed' })).toThrow('UnlockFailed')
    expect(() =>
      check({ outcome: 'callError', status: null, errorCode: 'NotSupported', errorDescription: 'no' }),
    ).toThrow('NotSupported (no)')
  })
})

describe('a local list as text', () => {
  const entry = { idTag: 'A1', status: 'Blocked', expiresAt: null, parentIdTag: 'P' }

  it('goes there and back', () => {
    const text = textOf([entry, { ...entry, idTag: 'A2', status: 'Accepted', parentIdTag: null }])
    expect(text).toBe('A1, Blocked, , P\nA2, Accepted')
    expect(textOf(entriesOf(text).entries)).toBe(text)
    expect(entriesOf('A3\n\n').entries).toEqual([
      { idTag: 'A3', status: 'Accepted', expiresAt: null, parentIdTag: null },
    ])
  })

  it('says in which line something is wrong', () => {
    expect(entriesOf('A1\na1').wrong).toBe('Line 2: a1 stands there twice.')
    expect(entriesOf('A1, Fine').wrong).toContain('Line 1: the status is one of')
    expect(entriesOf('A1, Accepted, soon').wrong).toBe('Line 1: soon is no time.')
    expect(entriesOf(', Accepted').wrong).toContain('1 to 20 characters')
    expect(entriesOf('a,Accepted,,p,q').wrong).toContain('at most four')
  })
})

it('keys pass by text and by what differs', () => {
  const key = { readonly: false, readAt: null, refusedStatus: null }
  const keys = [
    { ...key, key: 'HeartbeatInterval', value: '300', desired: null, drift: null },
    { ...key, key: 'Volume', value: '5', desired: '7', drift: 'pending' },
    { ...key, key: 'Light', value: '1', desired: '1', drift: 'inSync' },
  ]
  const names = (text: string, which: string) => passing(keys, text, which).map((each) => each.key)
  expect(names('', 'all')).toHaveLength(3)
  expect(names('', 'desired')).toEqual(['Volume', 'Light'])
  expect(names('', 'drift')).toEqual(['Volume'])
  expect(names('300', 'all')).toEqual(['HeartbeatInterval'])
})

it('repairs are counted by name, with the messages that needed them', () => {
  const frame = (repairs: string[], at: string, action: string) => ({ repairs, at, action }) as never
  expect(
    quirksOf([
      frame(['commas'], '2026-01-02', 'MeterValues'),
      frame(['commas', 'clock'], '2026-01-03', 'StatusNotification'),
    ]),
  ).toEqual([
    { repair: 'commas', times: 2, lastAt: '2026-01-03', actions: ['MeterValues', 'StatusNotification'] },
    { repair: 'clock', times: 1, lastAt: '2026-01-03', actions: ['StatusNotification'] },
  ])
})

it('traits are typed as texts', () => {
  expect(traitValue('allowedA', '0, 6;10 16')).toEqual([0, 6, 10, 16])
  expect(traitValue('allowedA', '6, much')).toBeUndefined()
  expect(traitValue('rateUnits', 'A W')).toEqual(['A', 'W'])
  expect(traitValue('callSpacingS', '2.5')).toBe(2.5)
  expect(traitValue('callSpacingS', '')).toBeUndefined()
  expect(traitValue('zeroMeansStop', 'false')).toBe(false)
  expect(traitText([6, 10])).toBe('6, 10')
  expect(traitText(null)).toBe('')
})

it('sizes have units', () => {
  expect([bytes(512), bytes(1_440_000), bytes(12_000_000)]).toEqual(['512 B', '1.4 MB', '12 MB'])
})
