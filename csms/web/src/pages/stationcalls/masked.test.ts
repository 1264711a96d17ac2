import { describe, expect, it } from 'vitest'
import { maskedPlaces, sendable } from './masked'

describe('sendable', () => {
  it('leaves out the spent address of a file of ours, and nothing else', () => {
    const payload = { location: 'http://h/***/fw.bin', retrieveDate: '2026-03-01T12:00:00Z' }
    expect(sendable('UpdateFirmware', payload)).toEqual({ retrieveDate: '2026-03-01T12:00:00Z' })
    expect(sendable('GetLog', { requestId: 3, log: { remoteLocation: 'ftp://***@h/' } })).toEqual({
      requestId: 3,
      log: {},
    })
  })

  it('keeps an address that can be used again', () => {
    const payload = { location: 'http://vendor.example/fw.bin' }
    expect(sendable('UpdateFirmware', payload)).toBe(payload)
    expect(sendable('Reset', { type: '***' })).toEqual({ type: '***' })
    expect(sendable('UpdateFirmware', 'odd')).toBe('odd')
  })
})

describe('maskedPlaces', () => {
  it('names where a secret stood', () => {
    expect(maskedPlaces({ key: 'AuthorizationKey', value: '***' })).toEqual(['value'])
    expect(maskedPlaces({ a: [{ b: 'x***y' }, 1] })).toEqual(['a[0].b'])
    expect(maskedPlaces({ a: 'free' })).toEqual([])
    expect(maskedPlaces('***')).toEqual(['payload'])
  })
})
