import { expect, test } from 'vitest'
import { momentOf } from './days'

test('whole days are taken', () => {
  const from = momentOf('2026-11-21')
  const to = momentOf('2026-11-21', true)
  expect(Date.parse(to ?? '') - Date.parse(from ?? '')).toBe(86_400_000)
  expect(momentOf('soon')).toBeUndefined()
  expect(momentOf(undefined)).toBeUndefined()
})
