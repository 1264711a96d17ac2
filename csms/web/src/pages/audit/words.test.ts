import { describe, expect, it } from 'vitest'
import { linesOf, momentOf, pageOf, verbOf } from './words'

describe('the audit trail', () => {
  it('says what was done in words', () => {
    expect(verbOf('create')).toBe('added')
    expect(verbOf('something new')).toBe('something new')
    expect(linesOf({ name: 'Bay 7', siteId: null, phases: [1, 2] })).toEqual([
      'name: Bay 7',
      'siteId: nothing',
      'phases: [1,2]',
    ])
  })

  it('leads to what is still there', () => {
    expect(pageOf('station', 'CP-1', 'change')).toEqual({
      to: '/stations/$stationId',
      params: { stationId: 'CP-1' },
    })
    expect(pageOf('station', 'CP-1', 'delete')).toBeNull()
    expect(pageOf('user', '3', 'change')).toBeNull()
  })

  it('takes whole days', () => {
    const from = momentOf('2026-11-21')
    const to = momentOf('2026-11-21', true)
    expect(Date.parse(to ?? '') - Date.parse(from ?? '')).toBe(86_400_000)
    expect(momentOf('soon')).toBeUndefined()
    expect(momentOf(undefined)).toBeUndefined()
  })
})
