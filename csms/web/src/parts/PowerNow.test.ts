import { describe, expect, it } from 'vitest'
import type { LiveConnector } from '@/live/types'
import { powerNow } from './PowerNow'

describe('powerNow', () => {
  const session = { id: '7', powerKw: 7.4 }
  const at = (online: boolean, more: Partial<LiveConnector>) => ({
    online,
    connectors: [{ connectorId: 1, sessionId: '7', powerKw: 7.4, ...more } as LiveConnector],
  })

  it('is what its connector gives', () => {
    expect(powerNow(session, at(true, {}))).toBe(7.4)
    expect(powerNow(session, at(true, { powerKw: null }))).toBeNull()
  })

  it('is not known of a station that is away, or not known itself', () => {
    expect(powerNow(session, at(false, {}))).toBeNull()
    expect(powerNow(session, undefined)).toBeNull()
  })

  it('is not known once another session has the connector', () => {
    expect(powerNow(session, at(true, { sessionId: '8' }))).toBeNull()
  })
})
