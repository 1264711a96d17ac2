import { describe, expect, it } from 'vitest'
import { defaultOf, GROUPS, grouped, MEANINGS, presentOf, type Shown } from './meanings'

const PORT: Shown = { name: 'CSMS_OCPP_PORT', value: '9000', default: '9000', isSet: false, secret: false }
const TOKEN: Shown = { name: 'CSMS_ADMIN_TOKEN', value: null, default: null, isSet: true, secret: true }
const BROKER: Shown = { ...PORT, name: 'CSMS_MQTT_URL', value: null, default: null }

describe('settings', () => {
  it('stand in groups that exist', () => {
    for (const { group } of MEANINGS.values()) expect(GROUPS).toContain(group)
    expect(grouped([TOKEN, PORT]).map(({ group }) => group)).toEqual(['Chargers', 'Security'])
  })

  it('without a meaning are shown too', () => {
    expect(grouped([{ ...PORT, name: 'CSMS_NEW' }])[0]?.group).toBe('Other')
  })

  it('are found by what they mean', () => {
    expect(grouped([TOKEN, PORT], 'not encrypted')[0]?.settings).toEqual([PORT])
  })

  it('say what holds', () => {
    expect(presentOf(PORT)).toEqual({ text: '9000', literal: true })
    expect(presentOf(TOKEN).text).toBe('set, never shown')
    expect(presentOf(BROKER)).toEqual({ text: 'none', literal: false })
  })

  it('that are set say what would hold otherwise', () => {
    const set = { ...PORT, value: '9100', isSet: true }
    expect([presentOf(set).text, defaultOf(set).text]).toEqual(['9100', '9000'])
    expect(defaultOf({ ...BROKER, value: 'mqtt://b', isSet: true })).toEqual({ text: 'none', literal: false })
    expect(defaultOf(TOKEN).text).toBe('not set')
  })
})
