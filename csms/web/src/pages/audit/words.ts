/** What the audit trail says, in an operator's words. */

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
  'lower security profile': 'lowered the security profile of',
  'cancel profile upgrade': 'stopped waiting for a higher security profile of',
}

const OBJECTS: Readonly<Record<string, string>> = {
  id_tag: 'id tag',
  api_key: 'API key',
  apiKey: 'API key',
  quarantine: 'message in quarantine',
  bulk: 'bulk call',
  firmware: 'firmware image',
  'site limit': 'limit',
  'site rules': 'rules of site',
  'site meter': 'meter of site',
  'driver page': 'driver page of station',
}

/** An entry of the audit trail, as far as it is put into words. */
export interface Said {
  action: string
  objectType: string
  objectId: string | null
  details: Readonly<Record<string, unknown>>
}

/** Returns what was done to what kind of object; a verb that is not known in its own words. */
export function phraseOf({ action, objectType, details }: Said): string {
  const object = objectOf(objectType)
  if (action === 'call' && typeof details.action === 'string') return `sent ${details.action} to ${object}`
  if (action === 'configure' && typeof details.key === 'string') return `set ${details.key} of ${object}`
  return `${VERBS[action] ?? action} ${object}`
}

/** Of these the id is a number that says nothing. */
const NUMBERED = new Set(['user', 'api_key', 'firmware'])

/** Returns what an object is called: by its name where its id says nothing. */
export function nameOf({ objectType, objectId, details }: Said): string | null {
  if (typeof details.called === 'string') return details.called
  return NUMBERED.has(objectType) && typeof details.name === 'string' ? details.name : objectId
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

export interface Place {
  to: string
  params?: Record<string, string>
  search?: Record<string, string>
}

/** Returns where an object is shown; null where it has no place of its own, or is gone. */
export function placeOf(type: string, id: string | null, action: string): Place | null {
  if (id === null || action === 'delete') return null
  if (type === 'id_tag') return { to: '/id-tags', search: { tag: id } }
  const page = PAGES[type]
  return page === undefined ? null : { to: page[0], params: { [page[1]]: id } }
}
