/** What the audit trail says, in words. */

const VERBS: Readonly<Record<string, string>> = {
  create: 'added',
  change: 'changed',
  update: 'changed',
  delete: 'deleted',
  configure: 'set up',
  call: 'sent a call to',
  cancel: 'cancelled',
  'bulk call': 'sent a call to many:',
  retry: 'stored',
  dismiss: 'dismissed',
  close: 'closed by hand',
  correct: 'corrected',
  dialect: 'changed the dialect of',
  'local list': 'changed the local list of',
  'revoke certificate': 'revoked a certificate of',
}

const OBJECTS: Readonly<Record<string, string>> = {
  id_tag: 'id tag',
  api_key: 'API key',
  apiKey: 'API key',
  quarantine: 'message in quarantine',
  bulk: 'bulk call',
  firmware: 'firmware image',
}

/** Returns what was done; a verb that is not known in its own words. */
export function verbOf(action: string): string {
  return VERBS[action] ?? action
}

export function objectOf(type: string): string {
  return OBJECTS[type] ?? type
}

/** The types of objects that there are, as the API takes them. */
export const OBJECT_TYPES: readonly string[] = [
  'station',
  'site',
  'site limit',
  'site rules',
  'site meter',
  'session',
  'id_tag',
  'user',
  'api_key',
  'bulk',
  'quarantine',
  'firmware',
  'file',
  'dialect',
  'driver page',
  'driver pages of site',
]

const PAGES: Readonly<Record<string, readonly [string, string]>> = {
  station: ['/stations/$stationId', 'stationId'],
  'driver page': ['/stations/$stationId', 'stationId'],
  site: ['/sites/$siteId', 'siteId'],
  'site rules': ['/sites/$siteId', 'siteId'],
  'site meter': ['/sites/$siteId', 'siteId'],
  'driver pages of site': ['/sites/$siteId', 'siteId'],
  session: ['/sessions/$sessionId', 'sessionId'],
  bulk: ['/bulk/$jobId', 'jobId'],
}

/** Returns the page of an object; null where it has none of its own, or is gone. */
export function pageOf(
  type: string,
  id: string | null,
  action: string,
): { to: string; params: Record<string, string> } | null {
  const page = PAGES[type]
  if (page === undefined || id === null || action === 'delete') return null
  return { to: page[0], params: { [page[1]]: id } }
}

/** Returns what was changed, a line each: `name: Bay 7`. */
export function linesOf(details: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(details).map(([name, value]) => `${name}: ${shown(value)}`)
}

function shown(value: unknown): string {
  if (value === null) return 'nothing'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * Returns the time of a field for days (`2026-11-21`), as the API takes it; undefined: none.
 *
 * `end`: the first moment after that day. Days are those of the browser's zone.
 */
export function momentOf(day: string | undefined, end = false): string | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? '')
  if (found === null) return undefined
  const at = new Date(Number(found[1]), Number(found[2]) - 1, Number(found[3]) + (end ? 1 : 0))
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}
