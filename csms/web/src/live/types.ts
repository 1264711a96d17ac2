/** What `/ws/live` tells, topic by topic; names as in the REST resources. */

export interface LiveConnector {
  connectorId: number
  status: string | null
  errorCode: string | null
  powerKw: number | null
  limitA: number | null
  limitKw: number | null
  sessionId: string | null
}

export interface LiveStation {
  id: string
  name: string
  siteId: string | null
  online: boolean
  lastSeenAt: string | null
  vendor: string | null
  model: string | null
  firmwareVersion: string | null
  /** Its newest BootNotification. */
  bootedAt?: string | null
  registration: string
  quiet: boolean
  connectors: LiveConnector[]
}

export interface LiveSession {
  id: string
  transactionId: number
  stationId: string
  connectorId: number
  idTag: string
  vehicleId: string | null
  status: 'active' | 'completed'
  startedAt: string
  stoppedAt: string | null
  energyKwh: number
  powerKw: number | null
  socPercent: number | null
  limitA: number | null
  limitKw: number | null
  stopReason: string | null
  cost: number | null
  currency: string
  flags: string[]
  etaAt: string | null
}

export interface LiveLoad {
  id: string
  chargerId: string
  connectorId: number
  allocatedPowerKw: number
  measuredPowerKw: number | null
  limitA: number | null
  reason: string
  phases: number[] | null
}

export interface LiveCircuit {
  id: string
  limitKw: number
  loadKw: number
  headroomKw: number
  limitA: number | null
  loadA: number[] | null
}

export interface LiveSite {
  id: string
  name: string
  timeZone: string
  gridCapacityKw: number
  /** What its chargers take now. */
  powerKw: number | null
  /** What the site may take now: the grid connection, or less where a limit is in force. */
  limitKw: number | null
  /** The site meter's last word; null without a meter, or while it is silent. */
  meterKw: number | null
  /** What solar panels give, where the meter's word names it. */
  solarKw?: number | null
  activeSessions: number
  /** The status of its last decision; missing until there is one. */
  sessions?: LiveLoad[]
  circuits?: LiveCircuit[]
  battery?: { energyKwh: number; powerKw: number } | null
  gridPowerKw?: number | null
  decidedAt?: string | null
  warnings?: string[]
}

export type Severity = 'critical' | 'warning' | 'info'

export interface LiveAttention {
  id: string
  kind: string
  severity: Severity
  since: string | null
  stationId?: string | null
  connectorId?: number | null
  sessionId?: string | null
  siteId?: string | null
  text: string
  detail?: string | null
}

export interface LiveToday {
  /** A site's id, or `all`. */
  id: string
  powerKw: number | null
  capacityKw: number | null
  energyKwh: number
  sessions: number
  /** Null where there are several currencies; `revenues` has them all. */
  revenue: number | null
  currency: string | null
  revenues: { currency: string; amount: number }[]
  activeSessions: number
}

export interface LiveMessage {
  stationId?: string
  direction: 'in' | 'out'
  type: 'call' | 'callResult' | 'callError'
  action: string | null
  messageId: string | null
  payload: unknown
  raw: string | null
  at: string
  repairs?: string[]
  latencyMs?: number | null
}

export interface MessageFilter {
  stationId?: string
  action?: string
}

export interface Topics {
  stations: LiveStation
  sessions: LiveSession
  sites: LiveSite
  attention: LiveAttention
  today: LiveToday
}

export type Topic = keyof Topics

export const TOPICS: readonly Topic[] = ['stations', 'sessions', 'sites', 'attention', 'today']

export type Frame =
  | { topic: Topic; event: 'snapshot'; data: { id: string }[] }
  | { topic: Topic; event: 'changed'; data: { id: string }[]; removed?: string[] }
  | { topic: 'messages'; event: 'appended' | 'snapshot'; data: LiveMessage[]; dropped?: number }
