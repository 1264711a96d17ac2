import { expect, test } from 'vitest'
import { curvesOf } from './curves'

const reading = (second: number, energyKwh: number | null, powerKw: number | null = null) => ({
  at: new Date(second * 1000).toISOString(),
  energyKwh,
  powerKw,
  offeredKw: null,
  socPercent: null,
})

test('a limit holds until the next one, and energy counts from the start', () => {
  const drawing = curvesOf(
    [reading(20, 10.5, 7), reading(40, 11, 7)],
    [
      { at: new Date(10_000).toISOString(), limitKw: 11 },
      { at: new Date(30_000).toISOString(), limitKw: 7 },
    ],
    10_000,
    0.5,
  )
  expect(drawing.times).toEqual([10, 20, 30, 40])
  expect(drawing.power.map((curve) => curve.values)).toEqual([
    [undefined, 7, undefined, 7],
    [11, 11, 7, 7],
  ])
  expect(drawing.energy.map((curve) => curve.values)).toEqual([
    [undefined, 0.5, undefined, 1],
    [undefined, 0.25, undefined, 0.5],
  ])
  expect(drawing.charge).toEqual([])
})

test('a decision breaks the line only where the station was silent for long', () => {
  const decided = { at: new Date(100_000).toISOString(), limitKw: 7 }
  const drawn = (last: number) =>
    curvesOf([reading(10, 1, 7), reading(last, 2, 7)], [decided], 0, null).power[0]?.values
  expect(drawn(900)).toEqual([7, undefined, 7])
  expect(drawn(3600)).toEqual([7, null, 7])
})

test('what nobody has measured is no curve', () => {
  expect(curvesOf([reading(1, null)], [], 0, null)).toEqual({ times: [1], power: [], energy: [], charge: [] })
})
