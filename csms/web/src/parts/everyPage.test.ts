import { afterEach, expect, test, vi } from 'vitest'
import { everyCsv, everyPage, paged } from './everyPage'

afterEach(() => vi.unstubAllGlobals())

function answers(...given: Response[]) {
  const fetch = vi.fn(async (_: string) => given.shift() as Response)
  vi.stubGlobal('fetch', fetch)
  return () => fetch.mock.calls.map(([path]) => path)
}

test('a page keeps the filters of its list', () => {
  expect(paged('/api/x?status=active', 'abc', 'csv')).toBe(
    '/api/x?status=active&limit=1000&cursor=abc&format=csv',
  )
  expect(paged('/api/x', null)).toBe('/api/x?limit=1000')
})

test('a list is followed to its end', async () => {
  const asked = answers(
    Response.json({ items: [1, 2], nextCursor: 'n' }),
    Response.json({ items: [3], nextCursor: null }),
  )
  expect(await everyPage('/api/x')).toEqual({ items: [1, 2, 3], more: false })
  expect(asked()[1]).toContain('cursor=n')
})

test('a list that is too long is cut, and says so', async () => {
  answers(Response.json({ items: [1], nextCursor: 'n' }))
  expect(await everyPage('/api/x', 1)).toEqual({ items: [1], more: true })
})

test('pages of CSV have one header together', async () => {
  answers(
    new Response('a,b\r\n1,2\r\n', { headers: { 'X-Next-Cursor': 'n' } }),
    new Response('a,b\r\n3,4\r\n'),
  )
  expect(await everyCsv('/api/x')).toBe('a,b\r\n1,2\r\n3,4\r\n')
})
