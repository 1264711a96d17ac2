import { describe, expect, it } from 'vitest'
import { powerNow } from './PowerNow'

describe('powerNow', () => {
  it('is what the session was measured at, while its station is there', () => {
    expect(powerNow({ powerKw: 7.4 }, { online: true })).toBe(7.4)
    expect(powerNow({ powerKw: null }, { online: true })).toBeNull()
  })

  it('is not known of a station that is away, or not known itself', () => {
    expect(powerNow({ powerKw: 7.4 }, { online: false })).toBeNull()
    expect(powerNow({ powerKw: 7.4 }, undefined)).toBeNull()
  })
})
