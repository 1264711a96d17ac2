import { describe, expect, it } from 'vitest'
import { GROUPS, grouped, MEANINGS, wordsOf } from './meanings'

const PORT = { name: 'CSMS_OCPP_PORT', value: '9000', isSet: false, secret: false }
const TOKEN = { name: 'CSMS_ADMIN_TOKEN', value: null, isSet: true, secret: true }

describe('settings', () => {
  it('stand in groups that exist', () => {
    for (const { group } of Object.values(MEANINGS)) expect(GROUPS).toContain(group)
    expect(grouped([TOKEN, PORT]).map(({ group }) => group)).toEqual(['Chargers', 'Security'])
  })

  it('without a meaning are shown too', () => {
    expect(grouped([{ ...PORT, name: 'CSMS_NEW' }])[0]?.group).toBe('Other')
  })

  it('are found by what they mean', () => {
    expect(grouped([TOKEN, PORT], 'not encrypted')[0]?.settings).toEqual([PORT])
  })

  it('say what holds', () => {
    expect(wordsOf(PORT)).toBe('9000')
    expect(wordsOf(TOKEN)).toBe('set, never shown')
    expect(wordsOf({ ...PORT, name: 'CSMS_MQTT_URL', value: null })).toBe('none')
  })
})
