import { describe, expect, it } from 'vitest'
import { fits, forWhom, installing } from './images'

const STATION = { vendor: 'Volt & Co', model: 'Twin 22' }

describe('fits', () => {
  it('asks for what the image names, and nothing else', () => {
    expect(fits({ vendor: 'Volt & Co', model: 'Twin 22' }, STATION)).toBe(true)
    expect(fits({ vendor: 'Volt & Co', model: null }, STATION)).toBe(true)
    expect(fits({ vendor: null, model: null }, { vendor: null, model: null })).toBe(true)
    expect(fits({ vendor: 'Volt & Co', model: 'Solo' }, STATION)).toBe(false)
    expect(fits({ vendor: 'Volt & Co', model: null }, { vendor: null, model: null })).toBe(false)
  })
})

describe('words', () => {
  it('says whom an image is for', () => {
    expect(forWhom({ vendor: 'Volt & Co', model: null })).toBe('Volt & Co')
    expect(forWhom({ vendor: null, model: null })).toBe('any station')
  })
})

describe('installing', () => {
  const at = new Date('2026-11-21T02:00:00Z')

  it('has signed images checked by the station', () => {
    expect(installing({ id: '3', signatureValid: true }, at)).toEqual({
      action: 'SignedUpdateFirmware',
      payload: { firmwareId: '3', firmware: { retrieveDateTime: '2026-11-21T02:00:00.000Z' } },
    })
  })

  it('sends no time where it is now', () => {
    expect(installing({ id: '3', signatureValid: null }, null)).toEqual({
      action: 'UpdateFirmware',
      payload: { firmwareId: '3' },
    })
    // one whose signature does not hold goes the plain way: the other one would be refused
    expect(installing({ id: '3', signatureValid: false }, null).action).toBe('UpdateFirmware')
  })
})
