import { expect, test } from 'vitest'
import { bodyOf, EMPTY, type IdTag, queryOf, stateOf, typedOf } from './tags'

const NOW = Date.parse('2026-11-21T12:00:00Z')

function tag(idTag: string, more: Partial<IdTag> = {}): IdTag {
  return {
    idTag,
    status: 'Accepted',
    expiresAt: null,
    parentIdTag: null,
    maxActiveSessions: null,
    name: null,
    ...more,
  }
}

test('blocked wins over expired', () => {
  const past = '2026-11-21T11:59:59Z'
  expect(stateOf(tag('A'), NOW)).toBe('valid')
  expect(stateOf(tag('A', { expiresAt: past }), NOW)).toBe('expired')
  expect(stateOf(tag('A', { expiresAt: past, status: 'Blocked' }), NOW)).toBe('blocked')
  expect(stateOf(tag('A', { expiresAt: '2026-11-21T12:00:01Z' }), NOW)).toBe('valid')
})

test('filters are what the API asks for', () => {
  expect(queryOf({})).toBe('')
  expect(queryOf({ search: ' ada ', group: 'A&B' })).toBe('q=ada&parentIdTag=A%26B')
  expect(queryOf({ state: 'blocked' })).toBe('status=Blocked')
  expect(queryOf({ state: 'valid' })).toBe('status=Accepted&expired=false')
  expect(queryOf({ state: 'expired' })).toBe('status=Accepted&expired=true')
})

test('a new tag is sent whole', () => {
  const { body, problems } = bodyOf({ ...EMPTY, idTag: ' 04A1 ', maxActiveSessions: '1' })
  expect(problems).toEqual({})
  expect(body).toEqual({ ...tag('04A1'), maxActiveSessions: 1 })
})

test('of a known tag only what has changed is sent, and null clears', () => {
  const before = typedOf(tag('A', { name: 'Ada', maxActiveSessions: 0 }), (at) => at)
  expect(before.maxActiveSessions).toBe('0')
  expect(bodyOf(before, before).body).toEqual({})
  expect(bodyOf({ ...before, name: '', blocked: true }, before).body).toEqual({
    name: null,
    status: 'Blocked',
  })
})

test('what is wrong is said at its field', () => {
  const { problems } = bodyOf({ ...EMPTY, idTag: 'x'.repeat(21), maxActiveSessions: '-1', expiresAt: 'soon' })
  expect(Object.keys(problems).sort()).toEqual(['expiresAt', 'idTag', 'maxActiveSessions'])
  expect(bodyOf(EMPTY).problems.idTag).toBe('This is needed')
})
