import { describe, expect, it } from 'vitest'
import { verdictOf } from './readings'

describe('verdictOf', () => {
  it('says it in words', () => {
    expect(verdictOf({ verdict: 'taken', code: null, text: null })).toEqual({ tone: 'good', text: 'Taken' })
    expect(verdictOf({ verdict: 'refused', code: 'ProtocolError', text: 'idTag is missing' })).toEqual({
      tone: 'bad',
      text: 'Refused: ProtocolError',
      detail: 'idTag is missing',
    })
    expect(verdictOf({ verdict: 'refused', code: null, text: 'unreadable' }).text).toBe('Of no use')
    expect(verdictOf({ verdict: 'dropped', code: null, text: 'not JSON' }).tone).toBe('warning')
  })
})
