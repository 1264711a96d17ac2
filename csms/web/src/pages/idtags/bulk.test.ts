import { expect, test, vi } from 'vitest'
import { inPieces, NOTHING_DONE, type Outcome, type Tally, tallied } from './bulk'

function outcome(idTag: string, more: Partial<Outcome> = {}): Outcome {
  return { idTag, outcome: 'changed', detail: null, sessions: 0, members: 0, ...more }
}

test('outcomes are counted, and what there is to know is kept by its tag', () => {
  const tally = tallied(NOTHING_DONE, [
    outcome('A', { sessions: 2, members: 3 }),
    outcome('B', { outcome: 'unchanged', sessions: 1 }),
    outcome('C', { outcome: 'refused', detail: 'gone' }),
  ])
  expect(tally).toMatchObject({ done: 3, changed: 1, unchanged: 1, refused: 1, sessions: 2, members: 3 })
  expect(tally.notes.map(({ idTag }) => idTag)).toEqual(['C'])
})

test('pieces are sent one after the other until somebody has enough', async () => {
  const send = vi.fn(async (ids: readonly string[]) => ids.map((id) => outcome(id)))
  const seen: Tally[] = []
  await inPieces({ ids: ['A', 'B', 'C', 'D', 'E'], size: 2, send, told: (tally) => seen.push(tally) < 2 })
  expect(send.mock.calls.map(([ids]) => ids)).toEqual([
    ['A', 'B'],
    ['C', 'D'],
  ])
  await inPieces({
    ids: ['A', 'B', 'C', 'D', 'E'],
    size: 2,
    send,
    told: () => true,
    ...(seen[1] ? { from: seen[1] } : {}),
  })
  expect(send.mock.lastCall?.[0]).toEqual(['E'])
})

test('what fails leaves what was done before', async () => {
  const seen: Tally[] = []
  const send = vi.fn(async (ids: readonly string[]) => {
    if (seen.length === 1) throw new Error('cut')
    return ids.map((id) => outcome(id))
  })
  const run = inPieces({ ids: ['A', 'B'], size: 1, send, told: (tally) => seen.push(tally) > 0 })
  await expect(run).rejects.toThrow('cut')
  expect(seen.map(({ done }) => done)).toEqual([1])
})
