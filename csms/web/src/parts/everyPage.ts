import { send, sendJson } from '@/api/client'

/** A list of the API as far as it was followed. */
export interface Followed<T> {
  items: T[]
  /** Whether there is more of it. */
  more: boolean
}

interface PageOf<T> {
  items: T[]
  nextCursor: string | null
}

/** The most rows that the API gives at a time. */
export const AT_A_TIME = 1000

/** Returns all of a list of the API, at most `most` pages of 1,000; `path` may have a query. */
export async function everyPage<T>(path: string, most = 20): Promise<Followed<T>> {
  const items: T[] = []
  let cursor: string | null = null
  for (let page = 0; page < most; page += 1) {
    const found: PageOf<T> = await sendJson('GET', paged(path, cursor))
    items.push(...found.items)
    cursor = found.nextCursor
    if (cursor === null) return { items, more: false }
  }
  return { items, more: true }
}

/** Returns all of a list as CSV: one header, then the rows of every page. */
export async function everyCsv(path: string): Promise<string> {
  const parts: string[] = []
  let cursor: string | null = null
  do {
    const answer = await send(paged(path, cursor, 'csv'))
    const text = await answer.text()
    parts.push(parts.length === 0 ? text : text.slice(text.indexOf('\r\n') + 2))
    cursor = answer.headers.get('X-Next-Cursor')
  } while (cursor !== null)
  return parts.join('')
}

/** Returns the address of one page of a list. */
export function paged(path: string, cursor: string | null, format?: 'csv'): string {
  const [resource, query = ''] = path.split('?')
  const search = new URLSearchParams(query)
  search.set('limit', String(AT_A_TIME))
  if (cursor !== null) search.set('cursor', cursor)
  if (format !== undefined) search.set('format', format)
  return `${resource}?${search}`
}

/** Hands a text to the reader as a file. */
export function saveFile(name: string, text: string, type = 'text/csv'): void {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
