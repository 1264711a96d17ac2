import { describe, expect, it } from 'vitest'
import { codeOf, inherited, isLocal, type Rules, sheetOf } from './rules'

const rules: Rules = { access: null, plugFirst: null, effective: { access: 'open', plugFirst: false } }

describe('driver pages', () => {
  it('says what is inherited, where it is', () => {
    expect(inherited('station', rules)).toBe('As the site says: anybody may start')
    expect(inherited('site', { ...rules, access: 'off' })).toBe('As the system says')
  })
  it('leads to sheets and codes, whatever the identity', () => {
    expect(sheetOf({ kind: 'site', id: 'a/b' })).toBe('/api/sites/a%2Fb/qr-sheet')
    expect(sheetOf({ kind: 'station', id: 'CP 1' })).toBe('/api/stations/CP%201/qr-sheet')
    expect(codeOf('CP/1', 2)).toBe('/api/stations/CP%2F1/connectors/2/qr.svg')
  })
  it.each([
    ['http://127.0.0.1:8080/c/A/1', true],
    ['http://localhost/c/A/1', true],
    ['http://[::1]:8080/c/A/1', true],
    ['http://192.168.1.4:8080/c/A/1', false],
    ['https://charge.example.org/c/A/1', false],
  ])('knows which codes lead nowhere: %s', (url, local) => {
    expect(isLocal(url)).toBe(local)
  })
})
