/**
 * Returns the time of a field for days (`2026-11-21`), as the API takes it; undefined: none.
 *
 * `end`: the first moment after that day. Days are those of the browser's zone.
 */
export function momentOf(day: string | undefined, end = false): string | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? '')
  if (found === null) return undefined
  const at = new Date(Number(found[1]), Number(found[2]) - 1, Number(found[3]) + (end ? 1 : 0))
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}
