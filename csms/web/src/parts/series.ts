/** Curves of a chart, apart from how they are drawn. */

export interface Curve {
  label: string
  /** One for each time; null leaves a gap, undefined is a time of other curves: the line goes on past it. */
  values: readonly (number | null | undefined)[]
  /** A colour, or a variable of the theme: `var(--csms-busy)`. */
  colour?: string
  /** Default: area. A limit is dashed and stands apart from a stack. */
  kind?: 'area' | 'line' | 'limit'
  /** A value holds until the next one. */
  stepped?: boolean
}

/** Of curves without one of their own; told apart in light and dark, and without red and green. */
export const colours: readonly string[] = [
  '#2f7fb8',
  '#e09f3e',
  '#4f9d69',
  '#9c6ade',
  '#c8553d',
  '#3aa6a6',
  '#b0568f',
  '#8a8f3c',
  '#5c6bc0',
  '#7d6b5d',
]

/**
 * Returns what is drawn of curves that lie on each other: each area with all areas before it.
 *
 * An area without a value adds nothing there; lines and limits stay as they are.
 */
export function stackedCurves(curves: readonly Curve[]): (number | null | undefined)[][] {
  const sum: number[] = []
  return curves.map((curve) => {
    if (curve.kind !== undefined && curve.kind !== 'area') return [...curve.values]
    return curve.values.map((value, at) => {
      sum[at] = (sum[at] ?? 0) + (value ?? 0)
      return sum[at]
    })
  })
}

/** Returns a curve's value at a place, or the one before it where the place is of other curves. */
export function valueAt(values: Curve['values'], at: number): number | null {
  let place = at
  while (place > 0 && values[place] === undefined) place -= 1
  return values[place] ?? null
}
