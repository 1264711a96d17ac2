import { expect, it } from 'vitest'
import { nameOf, phraseOf, placeOf } from './words'

const entry = (action: string, details: Record<string, unknown> = {}, objectType = 'station') => ({
  action,
  objectType,
  objectId: '3',
  details,
})

it('the audit trail says what was done in words', () => {
  expect(phraseOf(entry('create', {}, 'id_tag'))).toBe('added id tag')
  expect(phraseOf(entry('something new'))).toBe('something new station')
  expect(phraseOf(entry('call', { action: 'Reset' }))).toBe('sent Reset to station')
  expect(phraseOf(entry('configure', { key: 'A' }))).toBe('set A of station')
})

it('what has only a number is called by its name', () => {
  expect(nameOf(entry('create', { name: 'Ann' }, 'user'))).toBe('Ann')
  expect(nameOf(entry('delete', { called: 'Ann' }, 'user'))).toBe('Ann')
  expect(nameOf(entry('change', { name: 'Bay 7' }))).toBe('3')
})

it('it leads to what is still there', () => {
  expect(placeOf('station', 'CP-1', 'change')).toEqual({
    to: '/stations/$stationId',
    params: { stationId: 'CP-1' },
  })
  expect(placeOf('id_tag', '04A1', 'create')).toEqual({ to: '/id-tags', search: { tag: '04A1' } })
  expect(placeOf('station', 'CP-1', 'delete')).toBeNull()
  expect(placeOf('user', '3', 'change')).toBeNull()
})
