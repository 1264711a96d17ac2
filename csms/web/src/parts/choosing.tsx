import { useCallback, useState } from 'react'
import type { Column } from './DataTable'

const NONE: ReadonlySet<string> = new Set()

export interface Chosen {
  ids: ReadonlySet<string>
  toggle: (id: string) => void
  set: (ids: Iterable<string>) => void
  clear: () => void
}

/** Keeps which rows of a table are chosen, by their ids. */
export function useChosen(): Chosen {
  const [ids, setIds] = useState<ReadonlySet<string>>(NONE)
  const toggle = useCallback((id: string) => {
    setIds((before) => {
      const next = new Set(before)
      if (!next.delete(id)) next.add(id)
      return next
    })
  }, [])
  const set = useCallback((next: Iterable<string>) => setIds(new Set(next)), [])
  const clear = useCallback(() => setIds(NONE), [])
  return { ids, toggle, set, clear }
}

/** The column of boxes; its head is a `ChooseAll`. */
export function choosingColumn<T>(
  chosen: Pick<Chosen, 'ids' | 'toggle'>,
  id: (row: T) => string,
  name: (row: T) => string,
): Column<T> {
  return {
    id: 'choose',
    header: '',
    width: 40,
    cell: (row) => (
      <input
        type="checkbox"
        className="row-box"
        aria-label={`Choose ${name(row)}`}
        checked={chosen.ids.has(id(row))}
        onChange={() => chosen.toggle(id(row))}
      />
    ),
  }
}

interface ChooseAllProps {
  chosen: Chosen
  /** Of all rows that are shown. */
  ids: readonly string[]
}

/** The box in the head of a table: all that are shown, or none; not there before they are. */
export function ChooseAll({ chosen, ids }: ChooseAllProps) {
  if (ids.length === 0) return null
  const some = chosen.ids.size > 0
  const all = some && ids.every((id) => chosen.ids.has(id))
  return (
    <input
      type="checkbox"
      className="row-box"
      aria-label="Choose all that are shown"
      checked={all}
      ref={(box) => {
        if (box) box.indeterminate = some && !all
      }}
      onChange={() => (all ? chosen.clear() : chosen.set(ids))}
    />
  )
}
