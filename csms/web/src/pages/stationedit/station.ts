/** A station as it is typed, and as the API takes it. */

export interface Typed {
  identity: string
  name: string
  maxKw: string
  connectors: string
  siteId: string
  connectorType: string
  currentType: string
  phases: string
  voltageV: string
  phaseRotation: string
  address: string
  lat: string
  lon: string
  serialNumber: string
  securityProfile: string
  password: string
  registration: string
  strict: boolean
  quiet: boolean
}

export const FIELDS = [
  'identity',
  'name',
  'maxKw',
  'connectors',
  'siteId',
  'connectorType',
  'currentType',
  'phases',
  'voltageV',
  'phaseRotation',
  'address',
  'lat',
  'lon',
  'serialNumber',
  'securityProfile',
  'password',
  'registration',
] as const

/** Paths of the API that are called otherwise here. */
export const NAMES: Readonly<Record<string, string>> = {
  location: 'address',
  'location.str': 'address',
  'location.lat': 'lat',
  'location.lon': 'lon',
  'location.address': 'address',
  'location.Place.lat': 'lat',
  'location.Place.lon': 'lon',
  'location.Place.address': 'address',
}

export const NEW: Typed = {
  identity: '',
  name: '',
  maxKw: '22',
  connectors: '1',
  siteId: '',
  connectorType: '',
  currentType: 'AC',
  phases: '3',
  voltageV: '230',
  phaseRotation: 'Unknown',
  address: '',
  lat: '',
  lon: '',
  serialNumber: '',
  securityProfile: '',
  password: '',
  registration: 'Accepted',
  strict: false,
  quiet: false,
}

interface Known {
  id: string
  name: string
  maxKw: number | null
  connectorCount: number | null
  siteId: string | null
  connectorType: string | null
  currentType: string
  phases: number
  voltageV: number
  phaseRotation: string
  location: string | Record<string, unknown> | null
  serialNumber: string | null
  securityProfile: number
  registration: string
  strict: boolean
  quiet: boolean
}

/** Returns a station as its form shows it. */
export function typedOf(station: Known): Typed {
  const { location } = station
  const place = typeof location === 'object' && location !== null ? location : null
  const text = (value: unknown) => (value === null || value === undefined ? '' : String(value))
  return {
    identity: station.id,
    name: station.name,
    maxKw: text(station.maxKw),
    connectors: text(station.connectorCount),
    siteId: station.siteId ?? '',
    connectorType: station.connectorType ?? '',
    currentType: station.currentType,
    phases: text(station.phases),
    voltageV: text(station.voltageV),
    phaseRotation: station.phaseRotation,
    address: place ? text(place.address) : text(location),
    lat: text(place?.lat),
    lon: text(place?.lon),
    serialNumber: station.serialNumber ?? '',
    securityProfile: text(station.securityProfile),
    password: '',
    registration: station.registration,
    strict: station.strict,
    quiet: station.quiet,
  }
}

const NUMBERS = ['maxKw', 'connectors', 'phases', 'voltageV', 'securityProfile'] as const

/**
 * Returns what the API gets of a form, and what is wrong with it.
 *
 * `before`: only what is different from it; an emptied field becomes null.
 */
export function bodyOf(
  typed: Typed,
  before?: Typed,
): { body: Record<string, unknown>; problems: Record<string, string> } {
  const problems: Record<string, string> = {}
  const body: Record<string, unknown> = {}
  if (typed.name.trim() === '') problems.name = 'This is needed'
  if (typed.maxKw.trim() === '') problems.maxKw = 'This is needed'
  const changed = (name: keyof Typed) => before === undefined || typed[name] !== before[name]
  for (const name of ['identity', 'name', 'siteId', 'connectorType', 'serialNumber', 'password'] as const) {
    const text = name === 'password' ? typed[name] : typed[name].trim()
    if (!changed(name) || (name === 'identity' && before !== undefined)) continue
    if (text !== '') body[name] = text
    else if (before !== undefined && name !== 'password') body[name] = null
  }
  for (const name of NUMBERS) {
    const text = typed[name].trim().replace(',', '.')
    if (!changed(name)) continue
    if (text === '') {
      if (before !== undefined) body[name] = null
    } else if (Number.isFinite(Number(text))) body[name] = Number(text)
    else problems[name] = 'Must be a number'
  }
  for (const name of ['currentType', 'phaseRotation', 'registration', 'strict', 'quiet'] as const)
    if (changed(name)) body[name] = typed[name]
  if (changed('address') || changed('lat') || changed('lon')) {
    const place = placeOf(typed, problems)
    if (place !== undefined && (place !== null || before !== undefined)) body.location = place
  }
  return { body, problems }
}

function placeOf(typed: Typed, problems: Record<string, string>): unknown {
  const [address, lat, lon] = [typed.address, typed.lat, typed.lon].map((text) => text.trim()) as [
    string,
    string,
    string,
  ]
  if (lat === '' && lon === '') return address === '' ? null : address
  for (const [name, text] of [
    ['lat', lat],
    ['lon', lon],
  ] as const)
    if (text === '') problems[name] = 'Both are needed, or none'
    else if (!Number.isFinite(Number(text.replace(',', '.')))) problems[name] = 'Must be a number'
  if (problems.lat || problems.lon) return undefined
  return {
    lat: Number(lat.replace(',', '.')),
    lon: Number(lon.replace(',', '.')),
    ...(address === '' ? {} : { address }),
  }
}
