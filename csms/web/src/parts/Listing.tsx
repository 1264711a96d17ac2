import { Button, Loader } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { sendJson } from '@/api/client'
import { asProblem } from '@/api/problem'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Scroller } from './Scroller'
import tables from './tables.module.css'

export interface ListColumn<T> {
  header: string
  cell: (row: T) => ReactNode
  align?: 'right'
  /** Left out on a phone. */
  extra?: boolean
  /** Never broken into lines. */
  fixed?: boolean
  /** Of a stacked one: takes the whole width of a phone. */
  wide?: boolean
}

interface PageOf<T> {
  items: T[]
  nextCursor: string | null
}

interface ListingOptions {
  /** While another filter of the same list is asked for, what was there stays: `isPlaceholderData`. */
  keeps?: boolean
}

/**
 * Follows a list of the API page by page.
 *
 * Asked anew each `everyS` seconds (which may depend on what there is) while it is shown; the more
 * pages, the more seldom.
 */
export function useListing<T>(
  path: string,
  everyS: number | ((items: readonly T[]) => number) = 15,
  { keeps = false }: ListingOptions = {},
) {
  const [resource = path, query = ''] = path.split('?')
  const found = useInfiniteQuery({
    queryKey: [...resource.split('/').slice(2).map(decodeURIComponent), 'list', query],
    queryFn: ({ pageParam }) => {
      const search = new URLSearchParams(query)
      if (!search.has('limit')) search.set('limit', '50')
      if (pageParam !== null) search.set('cursor', pageParam)
      return sendJson<PageOf<T>>('GET', `${resource}?${search}`)
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    // what is not there is not asked for again and again
    refetchInterval: ({ state }) => {
      if (asProblem(state.error).status === 404) return false
      const pages = state.data?.pages ?? []
      const seconds = typeof everyS === 'number' ? everyS : everyS(pages.flatMap((page) => page.items))
      return seconds * 1000 * Math.max(1, pages.length)
    },
    placeholderData: (before) => (keeps ? before : undefined),
  })
  return { ...found, items: found.data?.pages.flatMap((page) => page.items) }
}

/** Returns how a table asks for the next page at its end; undefined: there is none, or it comes. */
export function nextOf<T>(list: ReturnType<typeof useListing<T>>): (() => void) | undefined {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, isPlaceholderData } = list
  if (!hasNextPage || isFetchingNextPage || isFetchNextPageError || isPlaceholderData) return undefined
  return () => void list.fetchNextPage()
}

interface ListingProps<T> {
  label: string
  list: ReturnType<typeof useListing<T>>
  columns: readonly ListColumn<T>[]
  rowKey: (row: T, index: number) => string
  /** What it means that there are none. */
  empty: ReactNode
  /** On phones each row is a card of its own. */
  stacked?: boolean
}

/** A list of the API as a table, the newest first, more of it on demand. */
export function Listing<T>({ label, list, columns, rowKey, empty, stacked = false }: ListingProps<T>) {
  if (list.error) return <ProblemNotice problem={list.error} retry={() => void list.refetch()} />
  if (list.items === undefined) return <Loader aria-label="Loading" />
  if (list.items.length === 0) return <p className={tables.none}>{empty}</p>
  return (
    <>
      <Scroller label={label}>
        <table className={stacked ? `${tables.table} ${tables.stacked}` : tables.table}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  key={column.header}
                  scope="col"
                  data-align={column.align}
                  className={column.extra ? tables.extra : undefined}
                >
                  {column.header}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {list.items.map((row, index) => (
              <tr key={rowKey(row, index)}>
                {columns.map((column) => (
                  <td
                    key={column.header}
                    data-align={column.align}
                    data-fixed={column.fixed}
                    data-wide={column.wide}
                    className={column.extra ? tables.extra : undefined}
                  >
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {list.hasNextPage && (
        <Button
          mt="xs"
          variant="default"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </>
  )
}
