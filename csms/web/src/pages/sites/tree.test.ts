import { describe, expect, it } from 'vitest'
import { treeOf } from './tree'

const SITE = {
  gridCapacityKw: 100,
  gridLimitA: 145,
  circuits: [
    { id: 'east', parentId: null, name: 'East', limitKw: 43, limitA: 63 },
    { id: 'row', parentId: 'east', name: null, limitKw: 22, limitA: null },
    { id: 'lost', parentId: 'gone', name: null, limitKw: 5, limitA: null },
  ],
}

describe('the tree of circuits', () => {
  it('puts circuits and chargers where they hang', () => {
    const grid = treeOf(SITE, [
      { id: 'A', circuitId: null },
      { id: 'B', circuitId: 'row' },
      { id: 'C', circuitId: 'gone' },
    ])
    expect(grid.chargers).toEqual(['A', 'C'])
    expect(grid.branches.map(({ id }) => id)).toEqual(['east', 'lost'])
    expect(grid.branches[0]?.branches[0]).toMatchObject({ id: 'row', name: 'row', chargers: ['B'] })
    expect(grid.loadKw).toBeNull()
  })

  it('shows what was decided, and what is set where a limit from outside holds', () => {
    const load = { id: 'grid', limitKw: 60, loadKw: 55, headroomKw: 5, limitA: 145, loadA: [80, 70, 75] }
    const grid = treeOf(SITE, [], [load])
    expect(grid).toMatchObject({
      limitKw: 60,
      ownLimitKw: 100,
      loadKw: 55,
      headroomKw: 5,
      loadA: [80, 70, 75],
    })
  })

  it('does not run in circles', () => {
    const circuits = [
      { id: 'a', parentId: 'b', name: null, limitKw: 1, limitA: null },
      { id: 'b', parentId: 'a', name: null, limitKw: 1, limitA: null },
    ]
    expect(treeOf({ ...SITE, circuits }, []).branches).toEqual([])
  })
})
