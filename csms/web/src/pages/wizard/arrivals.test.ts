import { describe, expect, it } from 'vitest'
import { addressOf, arrived, hostOf, hostProblem, lettingOf } from './arrivals'

const PLAIN = 'ws://localhost:9000/ocpp/IDENTITY'

describe('the address of a charger', () => {
  it('ends with its name', () => {
    expect(addressOf(PLAIN, '', 'CP 1')).toBe('ws://localhost:9000/ocpp/CP%201')
    expect(addressOf(PLAIN, '', ' ')).toBe('ws://localhost:9000/ocpp/')
  })

  it('takes another host and keeps the port', () => {
    expect(addressOf(PLAIN, '192.168.1.20', 'A')).toBe('ws://192.168.1.20:9000/ocpp/A')
    expect(addressOf('wss://[::1]:9443/ocpp/IDENTITY', 'fd00::7', 'A')).toBe('wss://[fd00::7]:9443/ocpp/A')
  })

  it('has a host that is told from the rest', () => {
    expect(hostOf(PLAIN)).toBe('localhost')
    expect(hostOf('wss://[::1]:9443/ocpp/IDENTITY')).toBe('::1')
    expect(hostProblem('192.168.1.20')).toBeNull()
    expect(hostProblem('fd00::7')).toBeNull()
    expect(hostProblem('ws://192.168.1.20')).not.toBeNull()
    expect(hostProblem('csms.example:9000')).not.toBeNull()
  })
})

it('only who has come since is new', () => {
  const stations = [
    { id: 'A', online: true },
    { id: 'B', online: true },
    { id: 'C', online: false },
  ]
  expect(arrived(stations, new Set(['A'])).map(({ id }) => id)).toEqual(['B'])
})

describe('letting a charger in', () => {
  const typed = { name: '', maxKw: '11', connectors: '1', currentType: 'AC', password: '' }

  it('sends what was said', () => {
    expect(lettingOf({ ...typed, maxKw: '7,4', name: ' Bay ' })).toEqual({
      body: { maxKw: 7.4, connectors: 1, currentType: 'AC', name: 'Bay' },
      problems: {},
    })
  })

  it('says what is wrong at the field', () => {
    const { problems } = lettingOf({ ...typed, maxKw: 'much', connectors: '1.5' })
    expect(Object.keys(problems)).toEqual(['maxKw', 'connectors'])
  })
})
