/** A site's power over time: what the server has kept, with what the live link has told since. */

import type { Curve } from '@/parts/series'

export interface History {
  stepS: number
  /** ISO 8601, the beginnings of the steps. */
  times: readonly string[]
  gridCapacityKw: number
  series: readonly {
    stationId: string | null
    name: string | null
    powerKw: readonly (number | null)[]
  }[]
  limitKw: readonly (number | null)[]
  batteryKw: readonly (number | null)[]
  meterKw: readonly (number | null)[]
  buildingKw: readonly (number | null)[]
  solarKw: readonly (number | null)[]
}

/** What the live link has told at one moment. */
export interface Sample {
  /** Seconds since 1970. */
  at: number
  byStation: ReadonlyMap<string, number>
  limitKw: number | null
  batteryKw: number | null
  meterKw: number | null
  solarKw: number | null
}

export interface Picture {
  /** Seconds since 1970. */
  times: readonly number[]
  curves: readonly Curve[]
}

export const RANGES = [
  { value: '1h', label: '1 h', seconds: 3600, stepS: 60 },
  { value: '6h', label: '6 h', seconds: 6 * 3600, stepS: 60 },
  { value: '24h', label: '24 h', seconds: 86_400, stepS: 300 },
  { value: '7d', label: '7 d', seconds: 7 * 86_400, stepS: 1800 },
] as const

export type Range = (typeof RANGES)[number]

/**
 * Returns the curves of a picture: chargers on each other, then limit, battery and meter as lines.
 *
 * The step that still runs is left out where live samples stand for it. Lines of which nothing is
 * known are left out.
 */
export function pictureOf(history: History, tail: readonly Sample[]): Picture {
  const kept = history.times.map((time) => Date.parse(time) / 1000)
  const live = tail.filter(({ at }) => at > (kept.at(-1) ?? 0))
  const times = [...kept, ...live.map(({ at }) => at)]
  const named = new Set(history.series.flatMap(({ stationId }) => (stationId === null ? [] : [stationId])))
  const others = (sample: Sample) => {
    let sum = 0
    for (const [id, kw] of sample.byStation) if (!named.has(id)) sum += kw
    return sum
  }
  const curves: Curve[] = history.series.map(({ stationId, name, powerKw }) => ({
    label: stationId === null ? 'All others' : (name ?? stationId),
    values: [
      ...powerKw,
      ...live.map((sample) => (stationId === null ? others(sample) : (sample.byStation.get(stationId) ?? 0))),
    ],
    ...(stationId === null ? { colour: 'var(--csms-idle)' } : {}),
  }))
  curves.push({
    label: 'Limit',
    kind: 'limit',
    colour: 'var(--csms-bad)',
    // what held is kept for 35 days and from the first decision on; before that the connection is the limit
    values: [
      ...history.limitKw.map((kw) => kw ?? history.gridCapacityKw),
      ...live.map(({ limitKw }) => limitKw),
    ],
  })
  const supply = (limitKw: number | null, batteryKw: number | null) =>
    limitKw === null || batteryKw === null ? null : limitKw + Math.max(0, batteryKw)
  const withBattery = [
    ...history.batteryKw.map((kw, at) => supply(history.limitKw[at] ?? history.gridCapacityKw, kw)),
    ...live.map(({ limitKw, batteryKw }) => supply(limitKw, batteryKw)),
  ]
  if (withBattery.some((kw) => kw !== null))
    curves.push({
      label: 'Limit with battery',
      kind: 'limit',
      colour: 'var(--csms-good)',
      values: withBattery,
    })
  const lines: [string, string, readonly (number | null)[], (sample: Sample) => number | null][] = [
    ['Battery', 'var(--csms-good)', history.batteryKw, ({ batteryKw }) => batteryKw],
    ['Solar', 'var(--csms-solar)', history.solarKw, ({ solarKw }) => solarKw],
    ['Grid meter', 'var(--csms-plan)', history.meterKw, ({ meterKw }) => meterKw],
    ['Building', 'var(--csms-warning)', history.buildingKw, () => null],
  ]
  for (const [label, colour, values, now] of lines) {
    const all = [...values, ...live.map(now)]
    if (all.some((value) => value !== null && value !== 0))
      curves.push({ label, kind: 'line', colour, values: all })
  }
  return { times, curves }
}

/**
 * Returns the samples with one more; those that the kept history covers by now go, and all beyond 900.
 *
 * One that comes less than `everyS` after the last one is left out.
 */
export function withSample(
  tail: readonly Sample[],
  sample: Sample,
  keptUntil: number,
  everyS = 1,
): readonly Sample[] {
  const last = tail.at(-1)
  if (last !== undefined && sample.at < last.at + everyS) return tail
  return [...tail.filter(({ at }) => at > keptUntil), sample].slice(-900)
}
