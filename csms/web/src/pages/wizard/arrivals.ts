/** What the wizard makes of addresses and of chargers that come. */

interface Comer {
  id: string
  online: boolean
}

const NAME = 'IDENTITY'

/**
 * Returns the address to enter in a charger.
 *
 * `template`: the server's, with `IDENTITY` for the charger's own name. `host` replaces the one that the
 * browser has used, where chargers need another; an empty identity leaves the last part to the charger.
 */
export function addressOf(template: string, host: string, identity: string): string {
  const named = template.replace(new RegExp(`/${NAME}$`), `/${encodeURIComponent(identity.trim())}`)
  const place = host.trim()
  return place === '' ? named : named.replace(/^(wss?:\/\/)(\[[^\]]*\]|[^:/]+)/, `$1${bracketed(place)}`)
}

/** An IPv6 address stands in brackets. */
function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

/** Returns the host of an address, without brackets. */
export function hostOf(template: string): string {
  return /^wss?:\/\/(?:\[([^\]]*)\]|([^:/]+))/.exec(template)?.slice(1).find(Boolean) ?? ''
}

/** Returns what is wrong with a host, in words; null: nothing. */
export function hostProblem(host: string): string | null {
  const place = host.trim()
  if (place === '' || /^[\w.-]+$/.test(place) || /^\[?[0-9a-fA-F:]+\]?$/.test(place)) return null
  return 'Only the name or the number, such as 192.168.1.20: no ws://, no port, no path.'
}

/** Returns the stations that are connected and were not when the wizard was opened. */
export function arrived<T extends Comer>(stations: readonly T[], before: ReadonlySet<string>): T[] {
  return stations.filter(({ id, online }) => online && !before.has(id))
}

export interface Letting {
  name: string
  maxKw: string
  connectors: string
  currentType: string
  password: string
}

/** Returns what the API gets of the form that lets a charger in, and what is wrong with it. */
export function lettingOf(typed: Letting): {
  body: Record<string, unknown>
  problems: Record<string, string>
} {
  const problems: Record<string, string> = {}
  const body: Record<string, unknown> = { currentType: typed.currentType }
  if (typed.name.trim() !== '') body.name = typed.name.trim()
  if (typed.password !== '') body.password = typed.password
  for (const [name, least] of [
    ['maxKw', 0],
    ['connectors', 1],
  ] as const) {
    const text = typed[name].trim().replace(',', '.')
    const value = Number(text)
    if (text === '') problems[name] = 'This is needed'
    else if (!Number.isFinite(value)) problems[name] = 'Must be a number'
    else if (value < least || (name === 'connectors' && !Number.isInteger(value)))
      problems[name] = name === 'connectors' ? 'Must be a whole number from 1' : 'Must not be negative'
    else body[name] = value
  }
  return { body, problems }
}
