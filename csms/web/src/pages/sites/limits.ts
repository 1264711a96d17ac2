import type { Tone } from '@/parts/StatusBadge'
import { instantOf, number } from './form'

/** Returns whether a limit from outside holds at a time, is to come, or is over. */
export function limitState(
  limit: { startsAt: string; endsAt: string | null },
  now: number,
): { text: 'Holds' | 'To come' | 'Over'; tone: Tone } {
  if (limit.endsAt !== null && Date.parse(limit.endsAt) <= now) return { text: 'Over', tone: 'idle' }
  // the clocks of server and browser are not quite the same
  if (Date.parse(limit.startsAt) > now + 2000) return { text: 'To come', tone: 'plan' }
  return { text: 'Holds', tone: 'warning' }
}

export interface TypedLimit {
  limitKw: string
  startsAt: string
  endsAt: string
  /** `site`, `charging`, or `circuit ` and its id. */
  of: string
  reason: string
}

export const NO_LIMIT: TypedLimit = { limitKw: '', startsAt: '', endsAt: '', of: 'site', reason: '' }

export const LIMIT_FIELDS = ['limitKw', 'startsAt', 'endsAt', 'of', 'reason'] as const

/** Returns a typed limit as the API takes it, and what is wrong with it. */
export function limitOf(typed: TypedLimit): {
  body: Record<string, unknown>
  problems: Record<string, string>
} {
  const problems: Record<string, string> = {}
  const body: Record<string, unknown> = {
    limitKw: number(typed.limitKw, 'limitKw', problems),
    ...scopeOf(typed.of),
  }
  for (const name of ['startsAt', 'endsAt'] as const) {
    const at = instantOf(typed[name])
    if (at !== null) body[name] = at
  }
  if (typeof body.startsAt === 'string' && typeof body.endsAt === 'string' && body.endsAt <= body.startsAt)
    problems.endsAt = 'Must be later than the start'
  if (typed.reason.trim() !== '') body.reason = typed.reason.trim()
  return { body, problems }
}

/** Returns a typed limit as what-if takes it; null while it makes no sense. */
export function supposedLimit(typed: TypedLimit): object | null {
  const { body, problems } = limitOf(typed)
  return 'limitKw' in problems ? null : { addedLimit: { limitKw: body.limitKw, ...scopeOf(typed.of) } }
}

function scopeOf(of: string): Record<string, string> {
  if (of.startsWith('circuit ')) return { circuitId: of.slice('circuit '.length) }
  return of === 'charging' ? { appliesTo: 'charging' } : {}
}
