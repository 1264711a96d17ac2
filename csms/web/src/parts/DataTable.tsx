import { useElementSize } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import classes from './DataTable.module.css'
import { Icon } from './Icon'
import { Heading, inGroups, type Order, type Sortable, sorted } from './rows'

export interface Column<T> {
  id: string
  header: string
  cell: (row: T) => ReactNode
  /** What the column is sorted by; without it, it is not. */
  value?: (row: T) => Sortable
  /** Numbers stand on the right. */
  align?: 'left' | 'right'
  /** px; without it the column shares what is left. */
  width?: number
  /** Shown only where the table is at least this wide, px. */
  from?: number
}

interface DataTableProps<T> {
  /** Read aloud: what the rows are. */
  label: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  rowKey: (row: T) => string
  /** Instead of the texts of headers, by column: a box that chooses all rows. New ones draw no row anew. */
  heads?: Readonly<Record<string, ReactNode>>
  /** At first; the reader may sort otherwise. */
  order?: Order
  /** Told when the reader sorts otherwise, to keep it in the address. */
  onOrder?: (order: Order) => void
  /** The name of a row's group; rows of one stand together, under a heading. */
  group?: ((row: T) => string) | undefined
  /** What the heading of a group says. */
  heading?: (name: string, rows: readonly T[]) => ReactNode
  /** Opens a row on a click anywhere in it; its first cell should hold a link for the keyboard. */
  onOpen?: (row: T) => void
  /** Marks a row, such as the one that is shown beside. */
  selected?: (row: T) => boolean
  /** Called when the reader comes near the end of the rows: there are more to be had. */
  onEnd?: (() => void) | undefined
  /** What is shown is about to be replaced. */
  busy?: boolean
  rowHeight?: number
  /** px or CSS; by default the table fills what is left of the page. */
  height?: number | string
  /** Instead of rows when there are none. */
  empty?: ReactNode
}

/** px of the page below a table. */
const BELOW = 36

/** So many rows before the end more of them are asked for. */
const NEAR = 40

/**
 * A table of any length: only the rows in sight exist.
 *
 * Rows are drawn anew only when their object is another one, so live data of thousands costs little.
 */
export function DataTable<T>(props: DataTableProps<T>) {
  const { label, columns, rows, rowKey, group, onOrder, onOpen, selected, rowHeight = 38, empty } = props
  const [own, setOwn] = useState<Order | null>(props.order ?? null)
  const order = onOrder === undefined ? own : (props.order ?? null)
  const { ref: sizeRef, width } = useElementSize()
  const scroller = useRef<HTMLDivElement>(null)

  const shown = useMemo(
    () => columns.filter((column) => column.from === undefined || width === 0 || width >= column.from),
    [columns, width],
  )
  const lines = useMemo(() => {
    const by = order === null ? undefined : columns.find((column) => column.id === order.column)
    const ordered =
      by?.value === undefined || order === null ? rows : sorted(rows, by.value, order.descending)
    return group === undefined ? ordered : inGroups(ordered, group)
  }, [rows, columns, order, group])

  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  })
  const items = virtual.getVirtualItems()
  const { onEnd } = props
  const last = items.at(-1)?.index ?? -1
  useEffect(() => {
    if (onEnd && last >= lines.length - NEAR) onEnd()
  }, [onEnd, last, lines.length])
  const above = items[0]?.start ?? 0
  const below = items.length === 0 ? 0 : virtual.getTotalSize() - (items.at(-1)?.end ?? 0)

  // down to the end of the page, wherever it begins
  const fills = props.height === undefined
  useLayoutEffect(() => {
    const frame = scroller.current?.parentElement
    if (!fills || !frame) return
    const top = `${Math.round(frame.getBoundingClientRect().top + window.scrollY + BELOW)}px`
    if (frame.style.getPropertyValue('--table-top') !== top) frame.style.setProperty('--table-top', top)
  })

  function sortBy(column: Column<T>) {
    const next: Order = {
      column: column.id,
      descending: order?.column === column.id ? !order.descending : column.align === 'right',
    }
    if (onOrder) onOrder(next)
    else setOwn(next)
  }

  return (
    <div
      className={`${classes.frame} card`}
      ref={sizeRef}
      data-fills={fills || undefined}
      style={fills ? undefined : { height: props.height }}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
      <section ref={scroller} className={classes.scroller} tabIndex={0} aria-label={label}>
        <table
          className={classes.table}
          aria-rowcount={onEnd ? -1 : lines.length + 1}
          aria-busy={props.busy || undefined}
        >
          <colgroup>
            {shown.map((column) => (
              <col key={column.id} style={column.width === undefined ? undefined : { width: column.width }} />
            ))}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {shown.map((column) => {
                const direction =
                  order?.column !== column.id ? undefined : order.descending ? 'descending' : 'ascending'
                return (
                  <th key={column.id} scope="col" data-align={column.align} aria-sort={direction}>
                    {props.heads?.[column.id] !== undefined ? (
                      props.heads[column.id]
                    ) : column.value === undefined ? (
                      column.header
                    ) : (
                      <button type="button" className={classes.sort} onClick={() => sortBy(column)}>
                        {column.header}
                        <Icon
                          name="chevronDown"
                          size={12}
                          style={{
                            opacity: direction ? 1 : 0,
                            transform: direction === 'ascending' ? 'rotate(180deg)' : undefined,
                          }}
                        />
                      </button>
                    )}
                  </th>
                )
              })}
            </tr>
          </thead>
          <tbody>
            {above > 0 && <Gap height={above} columns={shown.length} />}
            {items.map((item) => {
              const line = lines[item.index] as T | Heading<T>
              if (line instanceof Heading)
                return (
                  <tr
                    key={`group ${line.name}`}
                    className={classes.group}
                    style={{ height: rowHeight }}
                    aria-rowindex={item.index + 2}
                  >
                    <th colSpan={shown.length} scope="rowgroup">
                      {props.heading?.(line.name, line.rows) ?? line.name}
                    </th>
                  </tr>
                )
              const row = line
              return (
                <Row
                  key={rowKey(row)}
                  row={row}
                  index={item.index}
                  columns={shown as readonly Column<unknown>[]}
                  height={rowHeight}
                  selected={selected?.(row) ?? false}
                  onOpen={onOpen as ((row: unknown) => void) | undefined}
                />
              )
            })}
            {below > 0 && <Gap height={below} columns={shown.length} />}
          </tbody>
        </table>
        {lines.length === 0 && empty}
      </section>
    </div>
  )
}

function Gap({ height, columns }: { height: number; columns: number }) {
  return (
    <tr className={classes.gap}>
      <td colSpan={columns} style={{ height, padding: 0, border: 0 }} />
    </tr>
  )
}

interface RowProps {
  row: unknown
  index: number
  columns: readonly Column<unknown>[]
  height: number
  selected: boolean
  onOpen: ((row: unknown) => void) | undefined
}

const Row = memo(
  function Row({ row, index, columns, height, selected, onOpen }: RowProps) {
    return (
      <tr
        className={classes.row}
        style={{ height }}
        aria-rowindex={index + 2}
        data-selected={selected || undefined}
        data-opens={onOpen ? true : undefined}
        onClick={
          onOpen &&
          ((event) => {
            const target = event.target as HTMLElement
            if (!target.closest('a, button, input, label')) onOpen(row)
          })
        }
      >
        {columns.map((column) => (
          <td key={column.id} data-align={column.align}>
            {column.cell(row)}
          </td>
        ))}
      </tr>
    )
  },
  (a, b) =>
    a.row === b.row &&
    a.index === b.index &&
    a.columns === b.columns &&
    a.height === b.height &&
    a.selected === b.selected,
)
