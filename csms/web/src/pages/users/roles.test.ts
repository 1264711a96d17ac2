import { describe, expect, it } from 'vitest'
import { endOf, userOf } from './roles'

const ANNA = { name: 'Anna', role: 'viewer', password: '', disabled: false }

describe('users', () => {
  it('send all when new and only changes later', () => {
    expect(userOf({ ...ANNA, name: ' Anna ' }).body).toEqual({ name: 'Anna', role: 'viewer' })
    expect(userOf({ ...ANNA, disabled: true }, ANNA).body).toEqual({ disabled: true })
    expect(userOf(ANNA, ANNA).body).toEqual({})
  })

  it('say what is wrong at the field', () => {
    expect(Object.keys(userOf({ ...ANNA, name: ' ', password: 'short' }).problems)).toEqual([
      'name',
      'password',
    ])
  })
})

it('keys end after their days', () => {
  expect(endOf('', 0)).toBeNull()
  expect(endOf('30', 0)).toBe('1970-01-31T00:00:00.000Z')
})
