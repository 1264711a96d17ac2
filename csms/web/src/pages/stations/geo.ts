/** Places on a map without tiles: projection, view and groups; degrees in, pixels out. */

export interface Place {
  lat: number
  lon: number
}

export interface Point {
  x: number
  y: number
}

/** What is in sight: the middle, and how many pixels the world is wide. */
export interface View {
  centre: Point
  scale: number
}

export interface Size {
  width: number
  height: number
}

const EARTH_M = 40_075_017
const STEEPEST = 85
const CLOSEST = 2 ** 32 // about a centimetre a pixel
const WIDEST = 256
const NEAR = 2 ** 30 // two posts side by side fill the view
const ALONE = 2 ** 26 // a single one is shown with its street

/** Returns a place on the unit square of the Mercator projection. */
export function project({ lat, lon }: Place): Point {
  const bounded = Math.max(-STEEPEST, Math.min(STEEPEST, lat))
  const sine = Math.sin((bounded * Math.PI) / 180)
  return { x: lon / 360 + 0.5, y: 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI) }
}

/** Returns the latitude of a height on the unit square. */
export function latitude(y: number): number {
  return (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI
}

/** Returns the view that shows all points with a margin; a single one with what is near it. */
export function whole(points: readonly Point[], size: Size): View {
  if (points.length === 0) return { centre: { x: 0.5, y: 0.5 }, scale: WIDEST }
  const xs = points.map((point) => point.x)
  const ys = points.map((point) => point.y)
  const [left, right] = [least(xs), most(xs)]
  const [top, bottom] = [least(ys), most(ys)]
  const scale = Math.min(
    roomIn(size.width) / Math.max(right - left, 1e-12),
    roomIn(size.height) / Math.max(bottom - top, 1e-12),
    right - left + (bottom - top) > 1e-10 ? NEAR : ALONE,
  )
  return { centre: { x: (left + right) / 2, y: (top + bottom) / 2 }, scale: bounded(scale) }
}

/** Returns how much of a length marks may take, so that their names have room at the edge. */
function roomIn(length: number): number {
  return Math.max(length * 0.3, Math.min(length * 0.8, length - 140))
}

/** Returns where a point of the unit square is on the screen. */
export function toScreen(point: Point, view: View, size: Size): Point {
  return {
    x: (point.x - view.centre.x) * view.scale + size.width / 2,
    y: (point.y - view.centre.y) * view.scale + size.height / 2,
  }
}

/** Returns the view after zooming about a pixel, which stays where it is. */
export function zoom(view: View, factor: number, about: Point, size: Size): View {
  const scale = bounded(view.scale * factor)
  const dx = (about.x - size.width / 2) * (1 / view.scale - 1 / scale)
  const dy = (about.y - size.height / 2) * (1 / view.scale - 1 / scale)
  return { centre: { x: view.centre.x + dx, y: view.centre.y + dy }, scale }
}

/** Returns the view after dragging by pixels. */
export function pan(view: View, dx: number, dy: number): View {
  return {
    centre: { x: view.centre.x - dx / view.scale, y: view.centre.y - dy / view.scale },
    scale: view.scale,
  }
}

export interface Group<T> extends Point {
  /** Of its first member: the same while the group's corner of the world is the same. */
  key: string
  members: readonly T[]
}

/**
 * Returns what is in sight, with those together that would lie on each other.
 *
 * `reach`: px within which they are one group.
 */
export function groups<T>(
  items: readonly { item: T; point: Point; key: string }[],
  view: View,
  size: Size,
  reach: number,
): Group<T>[] {
  // cells of the world, not of the screen: panning does not regroup
  const cell = reach / view.scale
  const found = new Map<string, { x: number; y: number; key: string; members: T[] }>()
  for (const { item, point, key } of items) {
    const at = toScreen(point, view, size)
    if (at.x < -reach || at.y < -reach || at.x > size.width + reach || at.y > size.height + reach) continue
    const corner = `${Math.floor(point.x / cell)}:${Math.floor(point.y / cell)}`
    const group = found.get(corner)
    if (group === undefined) found.set(corner, { ...at, key, members: [item] })
    else {
      const count = group.members.push(item)
      group.x += (at.x - group.x) / count
      group.y += (at.y - group.y) / count
    }
  }
  return joined([...found.values()], reach)
}

/** Returns groups with those together that have come too close at the edge of their cells. */
function joined<T>(found: { x: number; y: number; key: string; members: T[] }[], reach: number): Group<T>[] {
  const taken = new Map<string, { x: number; y: number; key: string; members: T[] }[]>()
  const kept: Group<T>[] = []
  // the larger ones first; which these are does not change while one drags
  found.sort((a, b) => b.members.length - a.members.length || (a.key < b.key ? -1 : 1))
  for (const group of found) {
    const [column, row] = [Math.floor(group.x / reach), Math.floor(group.y / reach)]
    const near = NEIGHBOURS.flatMap(([dx, dy]) => taken.get(`${column + dx}:${row + dy}`) ?? [])
    const close = near.find((other) => Math.hypot(other.x - group.x, other.y - group.y) < reach * 0.8)
    if (close !== undefined) {
      close.members.push(...group.members)
      continue
    }
    const place = `${column}:${row}`
    taken.set(place, [...(taken.get(place) ?? []), group])
    kept.push(group)
  }
  return kept
}

const NEIGHBOURS = [-1, 0, 1].flatMap((dx) => [-1, 0, 1].map((dy) => [dx, dy] as const))

/** Returns where the lines of a grid of this many pixels stand, which moves with the ground. */
export function gridOffset(view: View, size: Size, step: number): Point {
  const { x, y } = toScreen({ x: 0.5, y: 0.5 }, view, size)
  return { x: x % step, y: y % step }
}

/** Returns whether nothing will come apart however near one looks: they stand in one spot. */
export function isOneSpot(points: readonly Point[], reach: number): boolean {
  const [first] = points
  if (first === undefined) return true
  return points.every(({ x, y }) => Math.hypot(x - first.x, y - first.y) * CLOSEST < reach)
}

/** Returns a round length and its pixels for a scale bar of at most `longest` px. */
export function scaleBar(view: View, longest: number): { metres: number; pixels: number } {
  const metresAPixel = (EARTH_M * Math.cos((latitude(view.centre.y) * Math.PI) / 180)) / view.scale
  const most = longest * metresAPixel
  const power = 10 ** Math.floor(Math.log10(most))
  const metres = [5, 2, 1].map((step) => step * power).find((length) => length <= most) ?? power
  return { metres, pixels: metres / metresAPixel }
}

function bounded(scale: number): number {
  return Math.max(WIDEST, Math.min(CLOSEST, scale))
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b))
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b))
}
