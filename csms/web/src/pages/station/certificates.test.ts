import { describe, expect, it } from 'vitest'
import { certificateState } from './certificates'

const NOW = Date.parse('2026-11-21T00:00:00Z')
const GOOD = {
  certificateType: 'ChargePointCertificate',
  source: 'signed' as const,
  seenAt: '2026-11-20T00:00:00Z',
  inUseAt: null,
  revokedAt: null,
  validFrom: '2026-01-01T00:00:00Z',
  expiresAt: '2028-01-01T00:00:00Z',
}

describe('certificateState', () => {
  const text = (more: object) => certificateState({ ...GOOD, ...more }, NOW).text

  it('says what matters most first', () => {
    expect(text({ revokedAt: '2026-11-01T00:00:00Z', inUseAt: GOOD.seenAt })).toBe('Revoked')
    expect(text({ expiresAt: '2026-11-20T00:00:00Z', inUseAt: GOOD.seenAt })).toBe('Ended')
    expect(text({ expiresAt: '2026-12-01T00:00:00Z', inUseAt: GOOD.seenAt })).toBe('Ends soon')
    expect(text({ inUseAt: GOOD.seenAt })).toBe('In use')
    expect(text({ validFrom: '2027-01-01T00:00:00Z' })).toBe('Not valid yet')
  })

  it('has words for where it is known from', () => {
    expect(text({})).toBe('Signed, not used yet')
    expect(text({ source: 'listed', expiresAt: null, validFrom: null })).toBe('The station has it')
  })

  it('says when it was used last', () => {
    expect(certificateState({ ...GOOD, inUseAt: '2026-11-19T00:00:00Z' }, NOW).seen?.words).toBe('used')
  })
})
