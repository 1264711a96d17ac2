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
  const drawn: (number | null)[] = []
  const allowed: (number | null)[] = []
  const taken: (number | null)[] = []
  const soc: (number | null)[] = []
  for (const time of times) {
    const moment = moments.get(time)
    if (moment?.limit !== undefined) limit = moment.limit
    allowed.push(limit)
    drawn.push(moment?.reading?.powerKw ?? null)
    soc.push(moment?.reading?.socPercent ?? null)
    const register = moment?.reading?.energyKwh ?? null
    taken.push(register === null ? null : Math.max(0, register - meterStartWh / 1000))
  }
  const some = (values: readonly (number | null)[]) => values.some((value) => value !== null)
  const energy: Curve[] = some(taken) ? [{ label: 'Energy', values: taken, kind: 'line' }] : []
  if (energy.length > 0 && pricePerKwh !== null)
    energy.push({
      label: 'Cost',
      values: taken.map((kwh) => (kwh === null ? null : kwh * pricePerKwh)),
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
