import { expect, it } from 'vitest'
import { objectOf, placeOf, verbOf } from './words'

it('the audit trail says what was done in words', () => {
  expect(verbOf('create')).toBe('added')
  expect(verbOf('something new')).toBe('something new')
  expect(objectOf('id_tag')).toBe('id tag')
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
