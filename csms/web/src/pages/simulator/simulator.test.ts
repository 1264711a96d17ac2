import { describe, expect, it } from 'vitest'
import { freePlaces, limitOf, nextIdentity, offerW, pathOf, replaced, type SimStation } from './simulator'

function station(identity: string, changed: Partial<SimStation> = {}, connector: object = {}): SimStation {
  return {
    identity,
    url: 'ws://127.0.0.1:9000/ocpp',
    online: true,
    registration: 'Accepted',
    network: true,
    oddities: [],
    waitingMessages: 0,
    connectors: [
      {
        connectorId: 1,
        status: 'Available',
        errorCode: 'NoError',
        powerW: 0,
        currentA: 0,
        voltageV: 230,
        phases: 3,
        limit: null,
        offer: 32,
        unit: 'A',
        maxW: 22_080,
        ratingA: 32,
        temperatureC: 20,
        registerWh: 0,
        transactionId: null,
        idTag: null,
        socPercent: null,
        batteryC: null,
        vehicle: false,
        ...connector,
      },
    ],
    ...changed,
  }
}

describe('a place for a car', () => {
  it('is free, works, and can tell the central system', () => {
    const all = [
      station('FREE'),
      station('TAKEN', {}, { vehicle: true }),
      station('BROKEN', {}, { status: 'Faulted', errorCode: 'GroundFailure' }),
      station('AWAY', { online: false }),
      station('UNKNOWN', { registration: 'Pending' }),
    ]
    expect(freePlaces(all)).toEqual([{ identity: 'FREE', connectorId: 1 }])
  })

  it('gets a name that nobody has', () => {
    expect(nextIdentity([])).toBe('SIM-000001')
    expect(nextIdentity(['SIM-000002', 'X'])).toBe('SIM-000003')
    expect(nextIdentity(['SIM-000002'])).toBe('SIM-000003')
  })
})

describe('what is shown', () => {
  it('is the limit in its own unit', () => {
    expect(limitOf({ limit: null, unit: 'A' })).toBe('none')
    expect(limitOf({ limit: 9.5, unit: 'A' })).toBe('9.5 A')
    expect(limitOf({ limit: 11_000, unit: 'W' })).toBe('11.0 kW')
  })

  it('is the offer as power', () => {
    expect(offerW({ offer: 16, unit: 'A', maxW: 22_080, ratingA: 32 })).toBe(11_040)
    expect(offerW({ offer: 5000, unit: 'W', maxW: null, ratingA: 0 })).toBe(5000)
    expect(offerW({ offer: 16, unit: 'A', maxW: null, ratingA: 32 })).toBeNull()
  })

  it('is the answer of a button, at once', () => {
    const page = { items: [station('A'), station('B')], total: 2, offset: 0 }
    const after = replaced(page, station('B', { online: false }))
    expect(after.items.map((each) => each.online)).toEqual([true, false])
  })
})

it('encodes names that are no plain words', () => {
  expect(pathOf({ identity: 'a/b c', connectorId: 2 }, 'plug')).toBe(
    '/api/simulator/stations/a%2Fb%20c/connectors/2/plug',
  )
  expect(pathOf({ identity: 'A' }, 'reset')).toBe('/api/simulator/stations/A/reset')
})
