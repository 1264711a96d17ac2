import type english from '../../../api/driver_languages/en.json'

/** The key of a text; every language has the same ones. */
export type TextKey = keyof typeof english
export type TextTable = Record<TextKey, string>

export type Phase = 'starting' | 'failed' | 'charging' | 'stopping' | 'done'

/** The driver's own session; times are ISO 8601, numbers null where nothing is known. */
export interface Session {
  reference: string
  startedAt: string
  stoppedAt: string | null
  energyKwh: number
  powerKw: number | null
  limitKw: number | null
  socPercent: number | null
  cost: number | null
  currency: string
  etaAt: string | null
  etaPercent: number | null
}

export interface Mine {
  phase: Phase
  problem: string | null
  askedAt: string
  session: Session | null
}

/** What the server tells of a connector's page, whole each time. */
export interface View {
  /** The server's time at which this was so. */
  at: string
  place: {
    stationId: string
    connectorId: number
    connectors: number
    name: string
    site: string | null
    connectorType: string | null
    maxKw: number | null
  }
  state: string
  /** Texts of headline and sentence. */
  say: [string, string]
  fault: string | null
  price: { perKwh: number; currency: string }
  /** Whether anybody may start, without a card. */
  open: boolean
  /** Why a start without a card would be refused; null: it would not. */
  blocked: string | null
  /** Whether a card's code may be entered. */
  tag: boolean
  mine: Mine | null
  elsewhere: { stationId: string; connectorId: number } | null
}

export type Link = 'live' | 'lost' | 'stale'
export type Action = 'start' | 'tag' | 'stop'

/** What went wrong with what the driver asked for: the code of a text, with its values. */
export interface Failure {
  key: string
  values?: Record<string, string>
}

/** All that the page is drawn from. */
export interface Model {
  view: View | null
  link: Link
  /** When the last news came, by the server's clock, in ms. */
  newsAt: number
  /** When it was drawn, by the server's clock, in ms. */
  now: number
  pending: Action | null
  failure: Failure | null
  tagOpen: boolean
  tagProblem: TextKey | null
}
