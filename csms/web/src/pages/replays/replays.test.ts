import { describe, expect, it } from 'vitest'
import { callsIn, type Difference, grouped, ownIdentity } from './replays'

function difference(line: number, got: unknown): Difference {
  return {
    line,
    action: 'Authorize',
    place: 'Authorize.idTagInfo.status',
    why: 'field',
    recorded: 'Accepted',
    got,
  }
}

describe('grouped', () => {
  it('tells of each kind once, the most frequent first', () => {
    const found = grouped([difference(2, 'Blocked'), difference(4, 'Invalid'), difference(9, 'Invalid')])
    expect(found.map(({ got, lines }) => [got, lines])).toEqual([
      ['"Invalid"', [4, 9]],
      ['"Blocked"', [2]],
    ])
    expect(found[0]?.why).toBe('another value')
  })

  it('says nothing where there is nothing', () => {
    expect(grouped([{ ...difference(1, null), why: 'missing' }])[0]).toMatchObject({
      got: 'nothing',
      why: 'no answer came',
    })
    expect(grouped([])).toEqual([])
  })
})

describe('words', () => {
  it('names calls in order', () => {
    expect(callsIn({ TriggerMessage: 1, Reset: 2 })).toBe('Reset 2, TriggerMessage 1')
  })

  it('plays under a name of its own', () => {
    expect(ownIdentity('CP 1')).toBe('REPLAY-CP 1')
    expect(ownIdentity('REPLAY-CP 1')).toBe('REPLAY-CP 1')
  })
})
