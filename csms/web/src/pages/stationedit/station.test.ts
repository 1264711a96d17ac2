import { describe, expect, it } from 'vitest'
import { bodyOf, NEW, typedOf } from './station'

const KNOWN = {
  id: 'CP-1',
  name: 'Bay 1',
  maxKw: 22,
  connectorCount: 2,
  siteId: 'depot',
  connectorType: null,
  currentType: 'AC',
  phases: 3,
  voltageV: 230,
  phaseRotation: 'Unknown',
  location: { lat: 48.1, lon: 11.5, address: 'Yard' },
  serialNumber: null,
  securityProfile: 0,
  registration: 'Accepted',
  strict: false,
  quiet: true,
}

describe('the form of a station', () => {
  it('sends of a known one only what is different', () => {
    const before = typedOf(KNOWN)
    expect(bodyOf(before, before)).toEqual({ body: {}, problems: {} })
    expect(
      bodyOf({ ...before, maxKw: '11,5', siteId: '', quiet: false, lat: '', lon: '' }, before).body,
    ).toEqual({
      maxKw: 11.5,
      siteId: null,
      quiet: false,
      location: 'Yard',
    })
    expect(bodyOf({ ...before, lat: '', lon: '', address: '' }, before).body).toEqual({ location: null })
  })

  it('leaves out what is empty of a new one', () => {
    const { body, problems } = bodyOf({ ...NEW, name: ' Bay 2 ', lat: '1', lon: '2' })
    expect(problems).toEqual({})
    expect(body).toMatchObject({ name: 'Bay 2', maxKw: 22, connectors: 1, location: { lat: 1, lon: 2 } })
    expect(Object.keys(body)).not.toContain('identity')
    expect(Object.keys(body)).not.toContain('securityProfile')
  })

  it('says what is wrong at the field', () => {
    expect(bodyOf({ ...NEW, name: '', maxKw: 'much', lat: '1', lon: '' }).problems).toEqual({
      name: 'This is needed',
      maxKw: 'Must be a number',
      lon: 'Both are needed, or none',
    })
  })
})
