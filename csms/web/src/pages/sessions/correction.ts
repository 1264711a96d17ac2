import type { Session } from './data'

export interface Typed {
  meterStartWh: string
  meterStopWh: string
  stoppedAt: string
  reason: string
  carIsGone: boolean
}

export type Body = Record<string, unknown>

export const FIELDS: readonly (keyof Typed)[] = [
  'meterStartWh',
  'meterStopWh',
  'stoppedAt',
  'reason',
  'carIsGone',
]

/** Returns what stands in the form at first. */
export function startOf(
  session: Pick<Session, 'status' | 'meterStartWh' | 'meterStopWh' | 'stoppedAt'>,
): Typed {
  const ended = session.status !== 'active'
  return {
    meterStartWh: String(session.meterStartWh),
    meterStopWh: ended && session.meterStopWh !== null ? String(session.meterStopWh) : '',
    stoppedAt: ended ? (session.stoppedAt ?? '') : '',
    reason: '',
    carIsGone: false,
  }
}

/**
 * Returns what is sent, and what is wrong with what was typed, by field.
 *
 * Of an ended session only what has changed is sent.
 */
export function bodyOf(
  typed: Typed,
  session: Pick<Session, 'status' | 'meterStartWh' | 'meterStopWh' | 'stoppedAt'>,
): { body: Body; problems: Record<string, string> } {
  const before = startOf(session)
  const problems: Record<string, string> = {}
  const body: Body = { reason: typed.reason.trim() }
  if (body.reason === '') problems.reason = 'Say why: it stands in the audit log.'
  const active = session.status === 'active'
  for (const name of active ? (['meterStopWh'] as const) : (['meterStartWh', 'meterStopWh'] as const)) {
    const text = typed[name].trim()
    if (text === before[name].trim()) continue
    if (!/^-?\d{1,12}$/.test(text)) problems[name] = 'A whole number of Wh.'
    else body[name] = Number(text)
  }
  const stoppedAt = typed.stoppedAt.trim()
  if (stoppedAt !== before.stoppedAt) {
    const zoned = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(stoppedAt)
    if (!zoned || Number.isNaN(Date.parse(stoppedAt)))
      problems.stoppedAt = 'A time with its zone, such as 2026-11-21T17:05:00Z.'
    else body.stoppedAt = stoppedAt
  }
  if (active) body.carIsGone = typed.carIsGone
  return { body, problems }
}
