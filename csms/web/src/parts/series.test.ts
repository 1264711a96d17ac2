import { describe, expect, it } from 'vitest'
import { stackedCurves, valueAt } from './series'

describe('stackedCurves', () => {
  it('puts areas on each other and leaves limits alone', () => {
    expect(
      stackedCurves([
        { label: 'A', values: [1, 2, null] },
        { label: 'grid', values: [22, 22, 22], kind: 'limit' },
        { label: 'B', values: [3, null, 4] },
      ]),
    ).toEqual([
      [1, 2, 0],
      [22, 22, 22],
      [4, 2, 4],
    ])
  })
})

describe('valueAt', () => {
  it('is the one before where a time is of other curves, but never past a gap', () => {
    expect(valueAt([1, undefined, undefined], 2)).toBe(1)
    expect(valueAt([1, null, undefined], 2)).toBeNull()
    expect(valueAt([undefined], 0)).toBeNull()
    expect(valueAt([], -1)).toBeNull()
  })
})
