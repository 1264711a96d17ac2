import type { Curve } from '@/parts/series'

interface Measured {
  at: string
  energyKwh: number | null
  powerKw: number | null
  offeredKw: number | null
  socPercent: number | null
}

interface Decided {
  at: string
  limitKw: number
}

export interface Drawing {
  /** Seconds since 1970, rising. */
  times: number[]
  power: Curve[]
  energy: Curve[]
  charge: Curve[]
}

/** A station that has told nothing for longer was away, or its values got lost: the line has a gap. */
const SILENCE_S = 900

type Values = (number | null | undefined)[]

/**
 * Returns the curves of a session: what was drawn and allowed, and what it has come to.
 *
 * Readings and decisions come at times of their own; a limit holds until the next one. Energy counts from
 * `meterStartWh`, its price is that of a kWh.
 */
export function curvesOf(
  readings: readonly Measured[],
  decisions: readonly Decided[],
  meterStartWh: number,
  pricePerKwh: number | null,
): Drawing {
  const moments = new Map<number, { reading?: Measured; limit?: number }>()
  const at = (time: string) => {
    const seconds = Math.round(Date.parse(time) / 1000)
    const found = moments.get(seconds) ?? {}
    moments.set(seconds, found)
    return found
  }
  for (const reading of readings) at(reading.at).reading = reading
  for (const { at: time, limitKw } of decisions) at(time).limit = limitKw
  const times = [...moments.keys()].sort((a, b) => a - b)

  let limit: number | null = null
  const drawn: Values = []
  const allowed: Values = []
  const taken: Values = []
  const soc: Values = []
  const read = times.filter((time) => moments.get(time)?.reading !== undefined)
  let next = 0
  for (const time of times) {
    const { reading, limit: decided } = moments.get(time) ?? {}
    if (decided !== undefined) limit = decided
    allowed.push(limit)
    if (reading === undefined) {
      // of a decision alone: a gap only where there is one between the readings round it
      const between = next > 0 && next < read.length
      const silence = between ? (read[next] ?? 0) - (read[next - 1] ?? 0) : 0
      const nothing = silence > SILENCE_S ? null : undefined
      for (const values of [drawn, soc, taken]) values.push(nothing)
      continue
    }
    next += 1
    drawn.push(reading.powerKw)
    soc.push(reading.socPercent)
    taken.push(reading.energyKwh === null ? null : Math.max(0, reading.energyKwh - meterStartWh / 1000))
  }
  const some = (values: Values) => values.some((value) => typeof value === 'number')
  const energy: Curve[] = some(taken) ? [{ label: 'Energy', values: taken, kind: 'line' }] : []
  if (energy.length > 0 && pricePerKwh !== null)
    energy.push({
      label: 'Cost',
      values: taken.map((kwh) => (typeof kwh === 'number' ? kwh * pricePerKwh : kwh)),
      kind: 'line',
    })
  return {
    times,
    power: [
      ...(some(drawn) ? [{ label: 'Drawn', values: drawn } satisfies Curve] : []),
      ...(some(allowed)
        ? [{ label: 'Limit', values: allowed, kind: 'limit', stepped: true } satisfies Curve]
        : []),
    ],
    energy,
    charge: some(soc) ? [{ label: 'State of charge', values: soc, kind: 'line' }] : [],
  }
}
