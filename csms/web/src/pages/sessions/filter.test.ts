import { expect, test } from 'vitest'
import { queryOf } from './filter'

test('sessions that run are asked for by station, site and tag', () => {
  expect(queryOf({}, null)).toBe('status=active')
  expect(queryOf({ stationId: 'A B', idTag: ' 04A1 ', from: '2026-11-21' }, 's')).toBe(
    'status=active&stationId=A+B&siteId=s&idTag=04A1',
  )
})

test('those that have ended also by days', () => {
  const query = new URLSearchParams(
    queryOf({ status: 'completed', from: '2026-11-20', to: '2026-11-20' }, null),
  )
  const [from, to] = [query.get('from') ?? '', query.get('to') ?? '']
  expect(Date.parse(to) - Date.parse(from)).toBe(86_400_000)
  expect(queryOf({ status: 'completed', from: 'x' }, null)).toBe('status=completed')
})
