import { describe, expect, it } from 'vitest'
import { stackedCurves } from './series'

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
