import { describe, expect, it } from 'vitest'
import { reasonOf } from './reasons'

describe('reasons', () => {
  it('names the circuit where the power is short', () => {
    const { short, explanation } = reasonOf(
      'fair share of the circuit east limit on L1',
      new Map([['east', 'East wing']]),
    )
    expect(short).toBe('Fair share of the circuit East wing on L1')
    expect(explanation).toContain('equal part')
  })

  it('tells of a limit that stays because it is near enough', () => {
    const { short, explanation } = reasonOf('near the fair share of the grid limit on L1')
    expect(short).toBe('Near the fair share of the grid connection on L1')
    expect(explanation).toContain('stays where it was')
    expect(reasonOf('near its fair share').explanation).toContain('stays where it was')
  })

  it('tells the place in the queue', () => {
    const { short, explanation, tone } = reasonOf(
      'waiting: the least useful power does not fit under the grid limit (place 2 of 5)',
    )
    expect(short).toBe('Waits, place 2 of 5')
    expect(explanation).toContain('the grid connection')
    expect(tone).toBe('waiting')
  })

  it('knows who is alone under a limit, and who cannot be steered', () => {
    expect(reasonOf('grid limit').short).toBe('All that the grid connection leaves')
    expect(reasonOf('charger limit').short).toBe('The charger gives no more')
    expect(reasonOf('not controllable now: counted at what it may draw').tone).toBe('uncontrolled')
  })

  it('leaves what it does not know in the words of the server', () => {
    expect(reasonOf('because of rain')).toEqual({ short: 'Because of rain', explanation: '', tone: 'usual' })
  })
})
