import { describe, expect, it } from 'vitest'
import {
  gridOffset,
  groups,
  isOneSpot,
  latitude,
  pan,
  project,
  scaleBar,
  toScreen,
  type View,
  whole,
  zoom,
} from './geo'

const SIZE = { width: 800, height: 600 }

describe('project', () => {
  it('puts the middle in the middle and north above', () => {
    expect(project({ lat: 0, lon: 0 })).toEqual({ x: 0.5, y: 0.5 })
    expect(project({ lat: 52.5, lon: 13.4 }).y).toBeLessThan(0.5)
    expect(latitude(project({ lat: 52.5, lon: 13.4 }).y)).toBeCloseTo(52.5, 6)
    expect(project({ lat: 90, lon: 0 }).y).toBeGreaterThanOrEqual(0)
  })
})

describe('whole', () => {
  it('has all points in sight', () => {
    const points = [
      { lat: 52.5, lon: 13.4 },
      { lat: 48.1, lon: 11.6 },
      { lat: 53.5, lon: 10.0 },
    ].map(project)
    const view = whole(points, SIZE)
    for (const point of points) {
      const { x, y } = toScreen(point, view, SIZE)
      expect(x).toBeGreaterThan(0)
      expect(x).toBeLessThan(800)
      expect(y).toBeGreaterThan(0)
      expect(y).toBeLessThan(600)
    }
  })

  it('does not fall into a single point', () => {
    const view = whole([project({ lat: 1, lon: 1 })], SIZE)
    expect(Number.isFinite(view.scale)).toBe(true)
    expect(scaleBar(view, 100).metres).toBeGreaterThanOrEqual(20)
    expect(whole([], SIZE).scale).toBeGreaterThan(0)
  })
})

describe('moving', () => {
  const view: View = whole([project({ lat: 52, lon: 13 })], SIZE)
  const berlin = project({ lat: 52.0001, lon: 13.0001 })

  it('zooms about a pixel, which stays', () => {
    const at = toScreen(berlin, view, SIZE)
    const after = toScreen(berlin, zoom(view, 2, at, SIZE), SIZE)
    expect(after.x).toBeCloseTo(at.x, 5)
    expect(after.y).toBeCloseTo(at.y, 5)
  })

  it('drags', () => {
    const at = toScreen(berlin, view, SIZE)
    const after = toScreen(berlin, pan(view, 30, -10), SIZE)
    expect(after.x - at.x).toBeCloseTo(30, 5)
    expect(after.y - at.y).toBeCloseTo(-10, 5)
  })
})

describe('groups', () => {
  const items = [
    { lat: 52, lon: 13 },
    { lat: 52.000001, lon: 13.000001 },
    { lat: 52.01, lon: 13.01 },
    { lat: -30, lon: 13 },
  ].map((place, n) => ({ item: n, key: String(n), point: project(place) }))
  const view = whole(
    items.slice(0, 3).map(({ point }) => point),
    SIZE,
  )

  it('puts together what would lie on each other, and leaves out what is not in sight', () => {
    const found = groups(items, view, SIZE, 26)
    expect(found.map(({ members }) => members).sort((a, b) => b.length - a.length)).toEqual([[0, 1], [2]])
  })

  it('takes everything in when one looks from afar', () => {
    const found = groups(items, { centre: { x: 0.5, y: 0.5 }, scale: 256 }, SIZE, 26)
    expect(found.flatMap(({ members }) => members).sort()).toEqual([0, 1, 2, 3])
  })
})

describe('scaleBar', () => {
  it('is a round length that fits', () => {
    const { metres, pixels } = scaleBar(whole([project({ lat: 60, lon: 13 })], SIZE), 120)
    expect(pixels).toBeLessThanOrEqual(120)
    expect(pixels).toBeGreaterThan(40)
    expect(String(metres)).toMatch(/^[125]0*$/)
  })
})

describe('what lies close together', () => {
  it('is one group on both sides of the edge of a cell', () => {
    const view: View = { centre: { x: 0.5, y: 0.5 }, scale: 1024 }
    const cell = 30 / 1024
    const edge = Math.round(0.5 / cell) * cell
    const items = [edge - 0.0005, edge + 0.0005].map((x, n) => ({
      item: n,
      key: String(n),
      point: { x, y: 0.5 },
    }))
    expect(groups(items, view, SIZE, 30)).toHaveLength(1)
  })

  it('may be in one spot, which no zoom takes apart', () => {
    const spot = project({ lat: 52, lon: 13 })
    expect(isOneSpot([spot, spot], 30)).toBe(true)
    expect(isOneSpot([spot, project({ lat: 52.0001, lon: 13 })], 30)).toBe(false)
  })

  it('moves with the grid', () => {
    const view: View = { centre: { x: 0.5, y: 0.5 }, scale: 1024 }
    const before = gridOffset(view, SIZE, 50)
    const after = gridOffset(pan(view, 10, 0), SIZE, 50)
    expect(after.x - before.x).toBeCloseTo(10, 5)
  })
})
