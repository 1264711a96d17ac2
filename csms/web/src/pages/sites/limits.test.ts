import { describe, expect, it } from 'vitest'
import { limitOf, limitState, NO_LIMIT, supposedLimit } from './limits'

describe('limits from outside', () => {
  it('hold, are to come, or are over', () => {
    const now = Date.parse('2026-01-01T12:00:00Z')
    const at = (startsAt: string, endsAt: string | null) => limitState({ startsAt, endsAt }, now).text
    expect(at('2026-01-01T11:00:00Z', null)).toBe('Holds')
    expect(at('2026-01-01T12:00:01Z', null)).toBe('Holds')
    expect(at('2026-01-01T13:00:00Z', '2026-01-01T14:00:00Z')).toBe('To come')
    expect(at('2026-01-01T10:00:00Z', '2026-01-01T12:00:00Z')).toBe('Over')
  })

  it('are sent with what was typed alone', () => {
    expect(limitOf({ ...NO_LIMIT, limitKw: '10,5' })).toEqual({ body: { limitKw: 10.5 }, problems: {} })
    expect(limitOf({ ...NO_LIMIT, limitKw: '1', of: 'circuit east', reason: ' 14a ' }).body).toEqual({
      limitKw: 1,
      circuitId: 'east',
      reason: '14a',
    })
    const { problems } = limitOf({ ...NO_LIMIT, startsAt: '2026-01-01T10:00', endsAt: '2026-01-01T09:00' })
    expect(problems).toEqual({ limitKw: 'This is needed', endsAt: 'Must be later than the start' })
  })

  it('are supposed before they are added', () => {
    expect(supposedLimit(NO_LIMIT)).toBeNull()
    expect(supposedLimit({ ...NO_LIMIT, limitKw: '9', of: 'charging', endsAt: '2026-01-01T09:00' })).toEqual({
      addedLimit: { limitKw: 9, appliesTo: 'charging' },
    })
  })
})
