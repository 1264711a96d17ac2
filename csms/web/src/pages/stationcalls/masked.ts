/** Payloads out of the log, to be sent again: it keeps no secrets, and addresses of files are spent. */

const MASK = '***'

/** Where the server fills in the address of a file of ours; what the log has of one leads nowhere. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  GetDiagnostics: ['location'],
  UpdateFirmware: ['location'],
  GetLog: ['log', 'remoteLocation'],
  SignedUpdateFirmware: ['firmware', 'location'],
}

/** Returns a payload as it can be sent again: without an address that held a token or a password. */
export function sendable(action: string, payload: unknown): unknown {
  const path = FILES[action]
  return path === undefined ? payload : without(payload, path)
}

function without(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (!isGroup(value) || name === undefined || !(name in value)) return value
  const { [name]: inner, ...others } = value
  if (rest.length > 0) return { ...others, [name]: without(inner, rest) }
  return typeof inner === 'string' && inner.includes(MASK) ? others : value
}

/** Returns where a payload has what the log has put in the place of a secret, as the server names places. */
export function maskedPlaces(value: unknown, path = ''): string[] {
  if (typeof value === 'string') return value.includes(MASK) ? [path || 'payload'] : []
  if (Array.isArray(value)) return value.flatMap((item, index) => maskedPlaces(item, `${path}[${index}]`))
  if (!isGroup(value)) return []
  return Object.entries(value).flatMap(([name, item]) =>
    maskedPlaces(item, path === '' ? name : `${path}.${name}`),
  )
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
