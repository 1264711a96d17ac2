/** The circuits of a site as a tree, with what flows through each. */

import type { LiveCircuit } from '@/live/types'

export interface CircuitFacts {
  id: string
  parentId: string | null
  name: string | null
  limitKw: number
  limitA: number | null
}

export interface ChargerFacts {
  id: string
  circuitId: string | null
}

export interface Branch {
  id: string
  name: string
  /** What it may carry, kW: what holds now, or what is set while nothing was decided. */
  limitKw: number
  /** What is set, kW; a limit from outside may hold it lower. */
  ownLimitKw: number
  /** What is counted on, kW; null while nothing was decided. */
  loadKw: number | null
  headroomKw: number | null
  /** A on each phase. */
  limitA: number | null
  loadA: readonly number[] | null
  chargers: readonly string[]
  branches: readonly Branch[]
}

const GRID = 'grid'

/** Returns the grid connection with all that hangs on it; circuits without a known parent hang on it too. */
export function treeOf(
  site: { gridCapacityKw: number; gridLimitA: number | null; circuits: readonly CircuitFacts[] },
  chargers: readonly ChargerFacts[],
  loads: readonly LiveCircuit[] = [],
): Branch {
  const byId = new Map(loads.map((each) => [each.id, each]))
  const known = new Set(site.circuits.map(({ id }) => id))
  const placed = new Set<string>()

  function branch(facts: CircuitFacts, root: boolean): Branch {
    placed.add(facts.id)
    const load = byId.get(root ? GRID : facts.id)
    const inside = (parentId: string | null) => (parentId !== null && known.has(parentId) ? parentId : null)
    const own = root ? null : facts.id
    return {
      id: root ? GRID : facts.id,
      name: facts.name ?? facts.id,
      limitKw: load?.limitKw ?? facts.limitKw,
      ownLimitKw: facts.limitKw,
      loadKw: load?.loadKw ?? null,
      headroomKw: load?.headroomKw ?? null,
      limitA: load?.limitA ?? facts.limitA,
      loadA: load?.loadA ?? null,
      chargers: chargers.filter((each) => inside(each.circuitId) === own).map(({ id }) => id),
      branches: site.circuits
        .filter((each) => inside(each.parentId) === own && !placed.has(each.id))
        .map((each) => branch(each, false)),
    }
  }

  return branch(
    {
      id: ' ',
      parentId: null,
      name: 'Grid connection',
      limitKw: site.gridCapacityKw,
      limitA: site.gridLimitA,
    },
    true,
  )
}
