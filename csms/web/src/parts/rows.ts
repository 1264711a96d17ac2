/** Sorting of rows, apart from how they are shown. */

export type Sortable = string | number | boolean | null | undefined

export interface Order {
  column: string
  descending: boolean
}

const TEXTS = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

function compare(a: Sortable, b: Sortable): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  return TEXTS.compare(String(a), String(b))
}

function missing(value: Sortable): boolean {
  return value === null || value === undefined || value === '' || Number.isNaN(value)
}

/** Returns the rows in order; equal ones as they were, those without a value last either way. */
export function sorted<T>(rows: readonly T[], value: (row: T) => Sortable, descending: boolean): T[] {
  const keyed = rows.map((row, index) => ({ row, index, key: value(row) }))
  const sign = descending ? -1 : 1
  keyed.sort((a, b) => {
    const noA = missing(a.key)
    const noB = missing(b.key)
    if (noA || noB) return noA === noB ? a.index - b.index : noA ? 1 : -1
    return sign * compare(a.key, b.key) || a.index - b.index
  })
  return keyed.map((item) => item.row)
}

/** The line above the rows of a group. */
export class Heading<T> {
  constructor(
    readonly name: string,
    readonly rows: readonly T[],
  ) {}
}

/** Returns rows with a heading above each group; groups by name, that without one last, rows in their order. */
export function inGroups<T>(rows: readonly T[], group: (row: T) => string): (T | Heading<T>)[] {
  const found = new Map<string, T[]>()
  for (const row of rows) {
    const name = group(row)
    const members = found.get(name)
    if (members) members.push(row)
    else found.set(name, [row])
  }
  return [...found]
    .sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : TEXTS.compare(a, b)))
    .flatMap(([name, members]) => [new Heading(name, members), ...members])
}

/** Returns a table as CSV text, quoted where needed; a text that a spreadsheet would run is quoted off. */
export function csv(header: readonly string[], lines: readonly (readonly Sortable[])[]): string {
  return [header, ...lines].map((line) => line.map(cell).join(',')).join('\r\n')
}

function cell(value: Sortable): string {
  if (value === null || value === undefined) return ''
  let text = String(value)
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
