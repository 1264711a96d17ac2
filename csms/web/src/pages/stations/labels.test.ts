import { describe, expect, it } from 'vitest'
import { shortened, withRoom } from './labels'

describe('shortened', () => {
  it('leaves out what all begin with', () => {
    expect(shortened(['Garage bay 1', 'Garage bay 12'])).toEqual(['1', '12'])
    expect(shortened(['PARK-01', 'PARK-02'])).toEqual(['01', '02'])
  })

  it('cuts no words, and leaves nothing without a name', () => {
    expect(shortened(['Gate', 'Garden'])).toEqual(['Gate', 'Garden'])
    expect(shortened(['Bay ', 'Bay 2'])).toEqual(['Bay ', 'Bay 2'])
    expect(shortened(['Alone 1'])).toEqual(['Alone 1'])
    expect(shortened([])).toEqual([])
  })
})

describe('withRoom', () => {
  it('drops what would lie over another', () => {
    const label = (key: string, x: number, y = 0) => ({ key, x, y, text: 'Bay 12' })
    const kept = withRoom([label('a', 0), label('b', 10), label('c', 200), label('d', 10, 40)], 18)
    expect(kept.map(({ key }) => key)).toEqual(['a', 'c', 'd'])
  })
})
