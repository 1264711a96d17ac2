import { optional, type Site } from './form'

/** What is supposed of a site, as it is typed. */
export interface TypedWhatIf {
  gridCapacityKw: string
  buildingKw: string
  /** By the ids of circuits. */
  circuitsKw: Readonly<Record<string, string>>
  /** `1 CP-7`: connector and charger. */
  cars: readonly string[]
  /** Ids of sessions. */
  without: readonly string[]
}

export const NOTHING_TYPED: TypedWhatIf = {
  gridCapacityKw: '',
  buildingKw: '',
  circuitsKw: {},
  cars: [],
  without: [],
}

export interface Supposed {
  gridCapacityKw?: number
  buildingKw?: number
  circuits?: Site['circuits']
  cars?: { chargerId: string; connectorId: number }[]
  withoutSessions?: string[]
}

/** Returns what is typed as what-if takes it (null: nothing, or something is wrong), and what is wrong. */
export function supposedOf(
  site: Pick<Site, 'circuits'>,
  typed: TypedWhatIf,
): { supposed: Supposed | null; problems: Record<string, string> } {
  const problems: Record<string, string> = {}
  const supposed: Supposed = {}
  for (const name of ['gridCapacityKw', 'buildingKw'] as const) {
    const kw = optional(typed[name], name, problems)
    if (kw !== null) supposed[name] = kw
  }
  const circuits = site.circuits.map((circuit, at) => ({
    ...circuit,
    limitKw:
      optional(typed.circuitsKw[circuit.id] ?? '', `circuits.${at}.limitKw`, problems) ?? circuit.limitKw,
  }))
  if (circuits.some(({ limitKw }, at) => limitKw !== site.circuits[at]?.limitKw)) supposed.circuits = circuits
  if (typed.cars.length > 0)
    supposed.cars = typed.cars.map((place) => {
      const gap = place.indexOf(' ')
      return { chargerId: place.slice(gap + 1), connectorId: Number(place.slice(0, gap)) }
    })
  if (typed.without.length > 0) supposed.withoutSessions = [...typed.without]
  const nothing = Object.keys(supposed).length === 0 || Object.keys(problems).length > 0
  return { supposed: nothing ? null : supposed, problems }
}

/** Returns the part of it that can be saved: the limits of the site; null: none. */
export function savedOf(supposed: Supposed | null): Pick<Supposed, 'gridCapacityKw' | 'circuits'> | null {
  if (supposed === null) return null
  const { gridCapacityKw, circuits } = supposed
  if (gridCapacityKw === undefined && circuits === undefined) return null
  return {
    ...(gridCapacityKw === undefined ? {} : { gridCapacityKw }),
    ...(circuits === undefined ? {} : { circuits }),
  }
}
