import { expect, test } from 'vitest'
import { bodyOf, EMPTY, filtered, groupsOf, type IdTag, stateOf, typedOf } from './tags'

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

test('groups are counted without case', () => {
  const tags = [tag('A', { parentIdTag: 'Fleet' }), tag('B', { parentIdTag: 'FLEET' }), tag('C')]
  expect(groupsOf(tags)).toEqual([{ id: 'Fleet', members: 2 }])
  expect(filtered([...tags, tag('fleet')], { group: 'fleet' }, NOW).map((each) => each.idTag)).toEqual([
    'A',
    'B',
    'fleet',
  ])
})

test('tags are found by their name too', () => {
  const tags = [tag('04A1', { name: 'Ada' }), tag('04B2', { status: 'Blocked' })]
  expect(filtered(tags, { search: ' ada' }, NOW)).toEqual([tags[0]])
  expect(filtered(tags, { search: '04', state: 'blocked' }, NOW)).toEqual([tags[1]])
  expect(filtered(tags, { search: 'x' }, NOW)).toEqual([])
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
