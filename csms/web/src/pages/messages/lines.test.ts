import { expect, test } from 'vitest'
import type { LiveMessage } from '@/live/types'
import { gist, joined, linesOf, passes } from './lines'

let second = 0
function frame(direction: 'in' | 'out', type: LiveMessage['type'], messageId: string): LiveMessage {
  second += 1
  return {
    stationId: 'A',
    direction,
    type,
    action: 'Heartbeat',
    messageId,
    payload: {},
    raw: `[${second}]`,
    at: new Date(second * 1000).toISOString(),
    repairs: [],
  }
}

test('a call and its answer are each other’s half, the newest first', () => {
  const call = frame('in', 'call', '1')
  const answer = frame('out', 'callResult', '1')
  const lines = linesOf([call, answer])
  expect(lines.map((line) => [line.message, line.other])).toEqual([
    [answer, call],
    [call, answer],
  ])
})

test('ids that are used again, or on both sides, are told apart', () => {
  const frames = [
    frame('in', 'call', '1'),
    frame('out', 'callResult', '1'),
    frame('in', 'call', '1'),
    frame('out', 'call', '1'),
    frame('in', 'callResult', '1'),
    frame('out', 'callResult', '1'),
  ]
  const byMessage = new Map(linesOf(frames).map((line) => [line.message, line.other]))
  expect(byMessage.get(frames[0] as LiveMessage)).toBe(frames[1])
  expect(byMessage.get(frames[3] as LiveMessage)).toBe(frames[4])
})

test('each line has a key of its own', () => {
  const one = frame('in', 'call', '1')
  expect(new Set(linesOf([one, one, one]).map((line) => line.key)).size).toBe(3)
})

test('what is filtered here', () => {
  const one = {
    ...frame('in', 'call', '1'),
    raw: '[2,"1","Authorize",{"idTag":"ABC"}]',
    repairs: ['nesting'],
  }
  expect(passes(one, { text: 'abc', direction: 'in', repair: 'any' })).toBe(true)
  expect(passes(one, { direction: 'out' })).toBe(false)
  expect(passes({ ...one, repairs: [] }, { repair: 'any' })).toBe(false)
  expect(gist({ ...one, payload: { idTag: 'ABC' } })).toBe('{"idTag":"ABC"}')
  expect(gist({ ...one, payload: null })).toBe(one.raw)
})

test('what was asked for and what has come since make one list', () => {
  const [one, two, three] = [frame('in', 'call', '1'), frame('in', 'call', '2'), frame('in', 'call', '3')]
  expect(joined([two, one], [{ ...two }, three]).map(({ messageId }) => messageId)).toEqual(['1', '2', '3'])
})

test('what came during a cut stands between what came live before and after it', () => {
  const [one, two, three] = [frame('in', 'call', '1'), frame('in', 'call', '2'), frame('in', 'call', '3')]
  expect(joined([three, two, one], [one, three]).map(({ messageId }) => messageId)).toEqual(['1', '2', '3'])
})
